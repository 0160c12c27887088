// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace signctl::cli {

/// The completion script for "bash", "zsh", "fish" or "powershell"; empty for any other shell.
/// Made from the commands and their flags, so it cannot fall behind them.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace signctl::cli
