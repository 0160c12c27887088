// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace signctl::plan {

/// For each path the first one before it with the same bytes, or an empty text. Only files of one
/// size are read. Files that cannot be read equal no other.
[[nodiscard]] std::vector<std::string> find_duplicates(const std::vector<std::string>& paths_utf8);

}  // namespace signctl::plan
