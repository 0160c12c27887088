// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/paths.hpp"

#include <signctl/bytes.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace signctl::test {

struct ShellResult {
  int status{};
  std::string output;  ///< stdout and stderr.
};
ShellResult shell(const std::string& command);

/// Whether the openssl command is there; says loudly that `what` is skipped when it is not.
bool has_openssl(const std::string& what);

}  // namespace signctl::test
