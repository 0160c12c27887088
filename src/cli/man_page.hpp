// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl::cli {

/// docs/man/signctl.1, roff with man macros, made from the commands, their flags, the exit codes
/// and the environment variables.
[[nodiscard]] std::string man_page();

}  // namespace signctl::cli
