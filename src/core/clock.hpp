// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

namespace signctl {

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override;
  void sleep_for(std::chrono::milliseconds duration) override;
};

}  // namespace signctl
