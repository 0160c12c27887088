// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace signctl::cli {

/// One flag as help, man page and completions show it.
struct FlagInfo {
  std::string group;
  std::vector<std::string> names;  ///< "-c", "--config"
  std::string meta;                ///< Empty for a switch.
  std::string help;
};

/// The flags of a command in declaration order, positionals left out.
[[nodiscard]] std::vector<FlagInfo> flags_of(const CLI::App& app);

/// The flags of `command`, the common ones included.
[[nodiscard]] std::vector<FlagInfo> flags_of(const Command& command);

/// What `signctl --help` prints.
[[nodiscard]] std::string overview();

/// What `signctl` alone prints.
[[nodiscard]] std::string short_overview();

/// What `signctl COMMAND --help` prints.
[[nodiscard]] std::string command_help(const Command& command);

/// `text` broken at blanks so that no line is wider than `width`; lines after the first start with
/// `indent` blanks. Line breaks of `text` stay, and lines that start with a blank are kept whole.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace signctl::cli
