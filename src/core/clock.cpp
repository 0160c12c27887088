// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"

#include "core/stop.hpp"

#include <algorithm>
#include <thread>

namespace signctl {

namespace {

/// What is left of a wait once the user wants to stop: enough for a service that is being polled.
constexpr std::chrono::milliseconds kSlice{200};

}  // namespace

TimePoint SystemClock::now() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

void SystemClock::sleep_for(std::chrono::milliseconds duration) {
  const auto end = steady_now() + duration;
  std::this_thread::sleep_for(std::min(duration, kSlice));
  while (!stop_requested() && steady_now() < end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_now());
    std::this_thread::sleep_for(std::min(left, kSlice));
  }
}

}  // namespace signctl
