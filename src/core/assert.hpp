// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace signctl {
/// Prints what was violated to stderr and aborts. For programmer errors only.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace signctl

/// Stays on in release builds: a signing tool that has lost its invariants must stop.
#define SIGNCTL_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::signctl::assertion_failed(#condition, __FILE__, __LINE__))
