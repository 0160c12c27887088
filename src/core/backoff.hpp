// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace signctl {

/// How often and how long something that fails in passing is tried again.
struct RetryRules {
  int attempts{6};                              ///< Tries of one thing, the first included.
  std::chrono::milliseconds initial{500};       ///< Upper bound of the first pause; it doubles.
  std::chrono::milliseconds max{30'000};        ///< Upper bound of any pause.
  std::chrono::milliseconds deadline{900'000};  ///< For everything together.
};

/// The upper bound of the pause after the `failures`th failure in a row (from 1).
[[nodiscard]] inline std::chrono::milliseconds longest_pause(const RetryRules& rules,
                                                             int failures) {
  constexpr int kMostDoublings = 20;
  const std::int64_t doubled = rules.initial.count() << std::clamp(failures - 1, 0, kMostDoublings);
  return std::chrono::milliseconds(
      std::clamp<std::int64_t>(doubled, 0, std::max<std::int64_t>(rules.max.count(), 0)));
}

/// Full jitter: anything from nothing to the longest pause, so that a fleet does not knock in step.
///
/// @param dice  Random octets as a number.
[[nodiscard]] inline std::chrono::milliseconds jittered(std::chrono::milliseconds longest,
                                                        std::uint64_t dice) {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(dice % (static_cast<std::uint64_t>(longest.count()) + 1)));
}

}  // namespace signctl
