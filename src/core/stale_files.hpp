// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace signctl {

/// Removes what killed runs of signctl left in a folder: regular files named
/// ".signctl-<pid>-*.tmp" of ours, older than an hour, whose process is gone. Looks at each folder
/// once a process and not at huge ones. Best effort.
void remove_stale_temporary_files(const std::string& folder_utf8);

/// Whether no process has this id. Per platform.
[[nodiscard]] bool is_process_gone(unsigned long id);

/// Whether it is a regular file, belongs to us and was last written before `age_limit` ago. Per
/// platform.
[[nodiscard]] bool is_old_file_of_ours(const std::filesystem::path& path,
                                       std::chrono::seconds age_limit);

}  // namespace signctl
