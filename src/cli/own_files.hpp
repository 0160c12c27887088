// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::cli {

/// What a run writes besides what it signs.
enum class OwnKind { manifest, log, report };

struct OwnFile {
  std::string_view flag;  ///< "--manifest"
  OwnKind kind{OwnKind::report};
  std::string path;  ///< Empty where nothing is to be written.
};

/// Whether the run may write these, asked before anything is signed or paid for: each needs a
/// folder that is there, must not be one of `taken` (what is signed or read, the config), nor
/// another of them, and must not hold what is evidently something else.
///
/// @param taken  Empty strings are passed over.
/// @errors `usage` for a path that is taken; `output` for one that cannot be written.
Result<void> check_own_files(const std::vector<OwnFile>& files,
                             const std::vector<std::string>& taken);

}  // namespace signctl::cli
