// SPDX-License-Identifier: Apache-2.0
#include "core/stop.hpp"

#include <atomic>

namespace signctl {

namespace {

std::atomic<bool> g_stop{false};

}  // namespace

void request_stop() noexcept {
  g_stop = true;
}

bool stop_requested() noexcept {
  return g_stop;
}

}  // namespace signctl
