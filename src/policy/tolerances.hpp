// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/subject.hpp"

#include <signctl/finding.hpp>

#include <span>
#include <string_view>

namespace signctl {

/// A finding that WinVerifyTrust, with the settings Windows comes with, does not object to.
struct Tolerance {
  std::string_view id;
  /// Narrows it down, as far as Windows does; null when it holds for every such finding.
  bool (*applies)(const About& about);
  std::string_view why;
};

/// All of them. What is never among them: a digest that does not match, a signature that does not
/// verify, a chain that ends nowhere, validity in time, and what cannot be read at all.
[[nodiscard]] std::span<const Tolerance> windows_tolerances();

/// Whether Windows would let a file pass in spite of this error.
[[nodiscard]] bool is_tolerated_by_windows(const Report& report, const Finding& finding);

}  // namespace signctl
