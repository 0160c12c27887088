// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl {

/// Removes what killed runs of signctl left in a folder: regular files named
/// ".signctl-<pid>-*.tmp" of ours, older than an hour, whose process is gone. Looks at each folder
/// once a process and not at huge ones. Best effort.
void remove_stale_temporary_files(const std::string& folder_utf8);

}  // namespace signctl
