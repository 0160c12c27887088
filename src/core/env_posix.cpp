// SPDX-License-Identifier: Apache-2.0
#include "core/env.hpp"

#include <cstdlib>

namespace signctl {

std::optional<std::string> ProcessEnvironment::get(std::string_view name) const {
  // signctl never changes its environment, so reading it from several threads is safe.
  const char* const value =
      std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): see above.
  if (value == nullptr || *value == '\0') {
    return std::nullopt;
  }
  return std::string(value);
}

}  // namespace signctl
