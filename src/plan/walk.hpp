// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/glob.hpp"

#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::plan {

/// Every file that matches, in the bytewise order of names within each folder. Folders behind
/// symbolic links are walked as well, but none twice, so that links in circles end. Links that lead
/// nowhere are among the results; devices, pipes and signctl's temporary files are not.
///
/// @param folder  What a relative pattern starts in; empty for the working directory.
/// @errors  `input` when a folder cannot be listed: files in it would be missed silently.
Result<std::vector<std::string>> walk(const Glob& glob, const std::string& folder);

/// `path` in `folder`, or `path` itself when it is absolute or `folder` is empty.
[[nodiscard]] std::string path_in(const std::string& folder, const std::string& path);

}  // namespace signctl::plan
