// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace signctl::cli {

/// The values that a flag's value name lists: {"a", "b"} for "a|b"; empty for one in capitals,
/// which stands for any value.
[[nodiscard]] std::vector<std::string> choices_of(const std::string& meta);

}  // namespace signctl::cli
