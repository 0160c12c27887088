// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "providers/pfx/material.hpp"

#include <filesystem>

namespace signctl::providers::pfx {

bool is_readable_by_everybody(const std::string& path_utf8) {
  std::error_code failed;
  const auto status = std::filesystem::status(to_path(path_utf8), failed);
  using std::filesystem::perms;
  return !failed && (status.permissions() & perms::others_read) != perms::none;
}

}  // namespace signctl::providers::pfx
