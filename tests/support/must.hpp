// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace signctl::test {

/// One line with everything an error says.
inline std::string text_of(const Error& error) {
  std::string text = error.message;
  for (const auto& step : error.trail) {
    text += "; while " + step;
  }
  return error.hint.empty() ? text : text + "; hint: " + error.hint;
}

/// The value, or a test failure that shows the error.
template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error("unexpected error: " + text_of(result.error()));
  }
  return std::move(result).value();
}

inline void must(const Result<void>& result) {
  if (!result) {
    throw std::runtime_error("unexpected error: " + text_of(result.error()));
  }
}

}  // namespace signctl::test
