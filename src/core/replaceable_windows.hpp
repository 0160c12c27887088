// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/atomic_file.hpp"

#include <signctl/result.hpp>

#include <filesystem>
#include <string>

namespace signctl {

/// Follows links, so that the file behind them is replaced and they stay.
std::filesystem::path resolve_links(const std::filesystem::path& target);

/// Refuses targets that must not, or will not let themselves be replaced.
///
/// @param target  After resolve_links().
Result<void> check_target(const std::string& target, Existing existing);

}  // namespace signctl
