// SPDX-License-Identifier: Apache-2.0
#include "core/thread_priority.hpp"

#if defined(__linux__)
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace signctl {

void yield_to_other_threads() noexcept {
#if defined(__linux__)
  // Unlike POSIX, Linux keeps the nice value per thread (setpriority(2), "C library/kernel
  // differences"). Elsewhere this would slow down the whole process.
  static constexpr int kNicer = 10;
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNicer));
#endif
}

}  // namespace signctl
