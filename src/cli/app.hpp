// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace signctl::cli {

/// Runs the program on its arguments (UTF-8, without the program name) and returns its exit code.
int run(const std::vector<std::string>& arguments);

}  // namespace signctl::cli
