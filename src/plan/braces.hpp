// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::plan {

/// The error for a malformed pattern.
[[nodiscard]] Error malformed_pattern(std::string_view pattern, const std::string& why);

/// The position of the `]` that closes the set which starts at `open`; npos when there is none.
[[nodiscard]] std::size_t find_set_end(std::string_view text, std::size_t open);

/// Spells out every `{a,b}`: the patterns without braces that together mean the same.
///
/// @errors `config` for a brace without its partner, and for too many results.
Result<std::vector<std::string>> expand_braces(std::string_view pattern);

}  // namespace signctl::plan
