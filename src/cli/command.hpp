// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"
#include "cli/flags.hpp"

#include <signctl/result.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace signctl::cli {

/// Does a command's work once its flags are filled in. Returns the exit code, or why there is none
/// of its own.
using Runner = std::function<Result<int>(Context&)>;

/// One verb. Each is described in a file of its own, and listed in commands.cpp.
struct Command {
  std::string_view name;       ///< "sign"; two words for "config show".
  std::string_view section;    ///< Heading in the overview; empty hides it.
  std::string_view arguments;  ///< For the usage line: "FILE...".
  std::string_view summary;    ///< One line, no full stop.
  std::string_view details;    ///< Paragraphs for its own help.
  std::string_view examples;   ///< Lines for its own help.
  Runner (*setup)(Flags& flags);
};

/// All verbs, in the order of the overview.
[[nodiscard]] std::span<const Command* const> commands();

/// The setup function of a command made of an options struct, a function that declares its flags
/// and one that runs it.
template <class Options,
          void (*Declare)(Flags&, Options&),
          Result<int> (*Run)(const Options&, Context&)>
Runner set_up(Flags& flags) {
  auto options = std::make_shared<Options>();
  Declare(flags, *options);
  return [options](Context& context) { return Run(*options, context); };
}

}  // namespace signctl::cli
