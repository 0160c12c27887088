// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace signctl {

/// A place in the process-wide list of temporary files that exist right now.
///
/// The list has a fixed size and takes no lock, so that a signal handler can walk it at any moment.
using TemporaryFileSlot = std::size_t;

/// Enters a file, before it is created. Empty when the list is full or the path too long: the file
/// is then left to the clean-up of a later run.
[[nodiscard]] std::optional<TemporaryFileSlot> enter_temporary_file(
    const std::filesystem::path& path) noexcept;

/// Takes a file out, after it was renamed or removed.
void leave_temporary_file(TemporaryFileSlot slot) noexcept;

/// Removes one file with what a signal handler may call. Per platform.
void remove_path_on_signal(const std::filesystem::path::value_type* path) noexcept;

/// The id of this process. Per platform; a signal handler may call it.
[[nodiscard]] unsigned long current_process_id() noexcept;

}  // namespace signctl
