// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

#include <memory>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace signctl::cli {

/// One command's parser. Only the command that was asked for is built: declaring the flags of all
/// of them would cost more than signing a small file.
struct BuiltApp {
  BuiltApp();
  BuiltApp(BuiltApp&&) noexcept;
  BuiltApp& operator=(BuiltApp&&) = delete;
  ~BuiltApp();

  std::unique_ptr<CLI::App> app;
  Operands operands;
  std::shared_ptr<OutputFlags> output;  ///< Filled by parsing.
  Runner runner;
};

[[nodiscard]] BuiltApp build_app(const Command& command);

}  // namespace signctl::cli
