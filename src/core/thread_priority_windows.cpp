// SPDX-License-Identifier: Apache-2.0
#include "core/thread_priority.hpp"
#include "core/windows_api.hpp"

namespace signctl {

void yield_to_other_threads() noexcept {
  static_cast<void>(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL));
}

}  // namespace signctl
