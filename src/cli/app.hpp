// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace signctl::cli {

/// Runs the program on its arguments (UTF-8, the name it was called by first) and returns its exit
/// code. Called as `signtool` it takes signtool's command line.
int run(std::vector<std::string> arguments);

}  // namespace signctl::cli
