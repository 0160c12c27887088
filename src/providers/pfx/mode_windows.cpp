// SPDX-License-Identifier: Apache-2.0
#include "providers/pfx/material.hpp"

namespace signctl::providers::pfx {

// Access lists are inherited from the folder and have no "everybody" bit to read off.
bool is_readable_by_everybody(const std::string& /*path_utf8*/) {
  return false;
}

}  // namespace signctl::providers::pfx
