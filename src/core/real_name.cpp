// SPDX-License-Identifier: Apache-2.0
#include "core/real_name.hpp"

#include "core/path.hpp"

#include <system_error>

namespace signctl {

std::string real_name(const std::filesystem::path& path) {
  std::error_code failure;
  const std::filesystem::path whole = std::filesystem::absolute(path, failure);
  const std::filesystem::path real = std::filesystem::weakly_canonical(whole, failure);
  return to_utf8(failure ? whole.lexically_normal() : real);
}

}  // namespace signctl
