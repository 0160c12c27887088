// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl::cli {

/// docs/exit-codes.md, made from the table in the code; a test compares the two.
[[nodiscard]] std::string exit_code_page();

}  // namespace signctl::cli
