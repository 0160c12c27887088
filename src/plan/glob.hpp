// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::plan {

/// The same on every system: `/` separates, letters count, `*` and `?` stay within one name, `**`
/// as a whole name crosses folders, `[a-z]` and `[!a-z]` are one character, `{a,b}` are
/// alternatives.

/// Whether the text has any of the characters that make it a pattern.
[[nodiscard]] bool is_pattern(std::string_view text);

/// `{a,b}` written out, nested ones too.
///
/// @errors `config` for braces or brackets that are not closed, and for more than 1,000
/// alternatives.
Result<std::vector<std::string>> expand_braces(std::string_view pattern);

/// Whether one path component matches one pattern component without braces.
[[nodiscard]] bool name_matches(std::string_view pattern, std::string_view name);

/// Whether a whole path matches a pattern without braces.
[[nodiscard]] bool path_matches(std::string_view pattern, std::string_view path);

/// The components between `/`.
[[nodiscard]] std::vector<std::string_view> components(std::string_view path);

}  // namespace signctl::plan
