// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace signctl {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  // The process is about to end; there is nothing to do about a stderr that cannot be written.
  static_cast<void>(std::fprintf(
      stderr, "signctl: error: a bug in signctl: not %s (%s:%d)\n", condition, file, line));
  std::abort();
}

}  // namespace signctl
