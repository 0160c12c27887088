// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace signctl {

/// How the names of our own files begin: temporary ones, journals, rehearsals. Never somebody's
/// input, unless they are named without a wildcard.
inline constexpr std::string_view kOwnPrefix = ".signctl-";

/// One name for each file, however it is reached: absolute, links followed as far as they exist.
/// UTF-8; the file need not be there.
[[nodiscard]] std::string real_name(const std::filesystem::path& path);

}  // namespace signctl
