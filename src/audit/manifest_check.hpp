// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/manifest.hpp"

#include <signctl/finding.hpp>

#include <optional>
#include <vector>

// What a manifest says against what is there now. Findings are of severity error.
namespace signctl::audit {

/// "manifest-incomplete" for a run that did not sign all that it had planned.
[[nodiscard]] std::optional<Finding> check_run(const Manifest& manifest);

/// "manifest-incomplete", "manifest-missing" or "manifest-changed" for one file of it.
///
/// @param now  Empty when there is no such file any more.
[[nodiscard]] std::optional<Finding> check_file(const FileRecord& file,
                                                const std::optional<FileDigests>& now);

/// "manifest-added": a file that the manifest does not know.
[[nodiscard]] Finding added_file();

}  // namespace signctl::audit
