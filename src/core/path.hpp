// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace signctl {

/// Paths are UTF-8 in every string of the program; these two are the only crossings.
[[nodiscard]] std::filesystem::path to_path(std::string_view utf8);
[[nodiscard]] std::string to_utf8(const std::filesystem::path& path);

}  // namespace signctl
