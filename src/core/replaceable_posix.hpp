// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/atomic_file.hpp"

#include <signctl/result.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>

namespace signctl {

/// Follows links at the end of `target`, so that the file behind them is replaced and they stay.
Result<std::filesystem::path> resolve_links(const std::filesystem::path& target);

/// Refuses targets that must not, or will not let themselves be replaced. The status of one that
/// may; empty when there is none.
///
/// @param target  After resolve_links().
Result<std::optional<struct stat>> check_target(const std::string& target, Existing existing);

}  // namespace signctl
