// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include "cli/app_builder.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace signctl::cli {

namespace {

constexpr std::size_t kWidth = 90;
constexpr std::size_t kHelpColumn = 34;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) {
    text.append(width - text.size(), ' ');
  }
  return text;
}

/// "  -c, --config FILE" with the help in its column, or on the next line when there is no room.
std::string entry(const std::string& left, const std::string& help) {
  std::string line = "  " + left;
  if (line.size() + 2 > kHelpColumn) {
    line += "\n" + std::string(kHelpColumn, ' ');
  } else {
    line = padded(line, kHelpColumn);
  }
  return line + wrapped(help, kHelpColumn, kWidth) + "\n";
}

std::string spelling(const FlagInfo& flag) {
  std::string text;
  for (const std::string& name : flag.names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return flag.meta.empty() ? text : text + " " + flag.meta;
}

std::string wrapped_line(std::string_view line, std::size_t indent, std::size_t width) {
  if (line.substr(0, 1) == " ") {
    return std::string(line);
  }
  std::string result;
  std::size_t column = indent;
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    const std::string word(line.substr(at, end - at));
    if (at == 0) {
      result = word;
    } else if (column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ') + word;
      column = indent;
    } else {
      result += " " + word;
      ++column;
    }
    column += word.size();
    at = end + 1;
  }
  return result;
}

std::string sections() {
  std::string text;
  std::string_view section;
  for (const Command* command : commands()) {
    if (command->section.empty()) {
      continue;
    }
    if (command->section != section) {
      section = command->section;
      text += "\n" + std::string(section) + ":\n";
    }
    text += entry(std::string(command->name), std::string(command->summary));
  }
  return text;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    result += at == 0 ? "" : "\n" + std::string(indent, ' ');
    result += wrapped_line(text.substr(at, end - at), indent, width);
    at = end + 1;
  }
  return result;
}

std::vector<FlagInfo> flags_of(const CLI::App& app) {
  std::vector<FlagInfo> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_snames().empty() && option->get_lnames().empty()) {
      continue;
    }
    FlagInfo flag;
    flag.group = option->get_group();
    for (const std::string& name : option->get_snames()) {
      flag.names.push_back("-" + name);
    }
    for (const std::string& name : option->get_lnames()) {
      flag.names.push_back("--" + name);
    }
    flag.meta = option->get_expected_min() == 0 ? "" : option->get_type_name();
    flag.help = option->get_description();
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<FlagInfo> flags_of(const Command& command) {
  const BuiltApp built = build_app(command);
  return flags_of(*built.app);
}

std::string overview() {
  return "signctl signs and verifies Windows executables on any system.\n\n"
         "Usage: signctl COMMAND [OPTIONS] [FILE...]\n" +
         sections() +
         "\nExamples:\n"
         "  signctl dev-cert                     make a certificate to try things with\n"
         "  signctl sign setup.exe               sign as signctl.yaml says\n"
         "  signctl verify dist/*.exe            prove it before you ship it\n"
         "\n'signctl COMMAND --help' shows a command's options. Exit codes: 0 means that every "
         "file\n"
         "was reopened and passed; 1 that the gate said no; docs/exit-codes.md lists the others.\n";
}

std::string short_overview() {
  return "Usage: signctl COMMAND [OPTIONS] [FILE...]\n\n"
         "  signctl sign setup.exe       sign a file, verify the result, then put it in place\n"
         "  signctl verify setup.exe     judge a file as the gate does\n\n"
         "'signctl --help' lists all commands.\n";
}

std::string command_help(const Command& command) {
  std::string text = "Usage: signctl " + std::string(command.name) + " [OPTIONS]";
  if (!command.arguments.empty()) {
    text += " " + std::string(command.arguments);
  }
  text += "\n\n" + wrapped(command.details.empty() ? command.summary : command.details, 0, kWidth) +
          "\n";
  std::vector<std::string> groups;
  const auto flags = flags_of(command);
  for (const FlagInfo& flag : flags) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  for (const std::string& group : groups) {
    text += "\n" + group + ":\n";
    for (const FlagInfo& flag : flags) {
      if (flag.group == group) {
        text += entry(spelling(flag), flag.help);
      }
    }
  }
  if (!command.examples.empty()) {
    text += "\nExamples:\n" + std::string(command.examples);
  }
  return text;
}

}  // namespace signctl::cli
