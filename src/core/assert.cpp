// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace signctl {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(
      stderr, "signctl: internal error: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace signctl
