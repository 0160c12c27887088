// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace signctl::plan {

/// A file that a pattern would take if its letters were of the other case.
struct OtherCase {
  std::string path;
  std::string pattern;
};

/// Says which of `files` are left out for their letters' case alone: all that are not among
/// `planned` (paths without links), where another pattern took them.
void warn_of_other_case(const std::vector<OtherCase>& files,
                        const std::set<std::filesystem::path>& planned);

}  // namespace signctl::plan
