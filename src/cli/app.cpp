// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"

#include "cli/app_builder.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/errors.hpp"
#include "cli/help.hpp"
#include "cli/signtool.hpp"
#include "cli/unsupported.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>
#include <signctl/worker.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

namespace signctl::cli {

namespace {

/// The command line taken apart at the command's name.
struct Line {
  std::string command;                 ///< Empty if there is none.
  std::vector<std::string> before;     ///< Flags before the command; they count as behind it.
  std::vector<std::string> arguments;  ///< What follows it.
  bool help{false};
  bool version{false};
};

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

const Command* find_command(std::string_view name) {
  for (const Command* command : commands()) {
    if (command->name == name) {
      return command;
    }
  }
  return nullptr;
}

/// "config" for "config show": words that only begin a command's name.
bool begins_a_command(const std::string& word) {
  return std::any_of(commands().begin(), commands().end(), [&](const Command* command) {
    return command->name.substr(0, word.size() + 1) == word + " ";
  });
}

/// Splits at the first word that is not a flag. `--color` and `--log-format` take a value.
Line split(const std::vector<std::string>& arguments) {
  Line line;
  std::size_t at = 0;
  for (; at < arguments.size() && arguments[at].substr(0, 1) == "-"; ++at) {
    const std::string& flag = arguments[at];
    line.help = line.help || flag == "-h" || flag == "--help";
    line.version = line.version || flag == "-V" || flag == "--version";
    line.before.push_back(flag);
    if ((flag == "--color" || flag == "--log-format") && at + 1 < arguments.size()) {
      line.before.push_back(arguments[++at]);
    }
  }
  if (at < arguments.size()) {
    line.command = arguments[at++];
  }
  if (at < arguments.size() && begins_a_command(line.command) && arguments[at][0] != '-') {
    line.command += " " + arguments[at++];
  }
  line.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
  return line;
}

/// The names of the commands in the overview.
std::vector<std::string> known_commands() {
  std::vector<std::string> known;
  for (const Command* command : commands()) {
    if (!command->section.empty()) {
      known.emplace_back(command->name);
    }
  }
  return known;
}

Error incomplete_command(const std::string& name) {
  std::string list;
  for (const std::string& candidate : known_commands()) {
    if (candidate.starts_with(name + " ")) {
      list += (list.empty() ? "\"signctl " : " or \"signctl ") + candidate + "\"";
    }
  }
  return {ErrorKind::usage, "\"" + name + "\" needs a second word", "use " + list};
}

Error unknown_command(const std::string& name) {
  if (auto refusal = unsupported_command(name)) {
    return std::move(*refusal);
  }
  if (begins_a_command(name)) {
    return incomplete_command(name);
  }
  const auto near = did_you_mean(name, known_commands());
  return {ErrorKind::usage,
          "unknown command \"" + printable(name) + "\"",
          near ? "did you mean \"signctl " + *near + "\"?" : "signctl --help lists all commands"};
}

/// What is wrong with an argument that no flag or operand took.
Error unexpected(const CLI::App& app, const Command& command, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const std::string where = " for \"signctl " + std::string(command.name) + "\"";
  if (argument.size() < 2 || argument[0] != '-') {
    return {ErrorKind::usage, "unexpected argument \"" + printable(argument) + "\"" + where};
  }
  if (auto refusal = unsupported_flag(name)) {
    return std::move(*refusal);
  }
  std::vector<std::string> known;
  for (const FlagInfo& flag : flags_of(app)) {
    known.insert(known.end(), flag.names.begin(), flag.names.end());
  }
  // signtool's and AzureSignTool's users write -fd.
  const auto near = contains(known, "-" + name) ? "-" + name : did_you_mean(name, known);
  std::error_code failure;
  const bool is_file = std::filesystem::exists(to_path(argument), failure);
  return {ErrorKind::usage,
          "unknown option \"" + printable(name) + "\"" + where,
          is_file ? "for the file of that name write ./" + printable(argument)
          : near  ? "did you mean \"" + *near + "\"?"
                  : "signctl " + std::string(command.name) + " --help lists its options"};
}

/// Hands what is not a flag to the command; behind "--" nothing is.
Result<void> take_operands(BuiltApp& built, const Command& command) {
  std::size_t taken = 0;
  bool flags_may_follow = true;
  for (const std::string& argument : built.app->remaining()) {
    if (flags_may_follow && argument == "--") {
      flags_may_follow = false;
      continue;
    }
    const bool is_flag = flags_may_follow && argument.size() > 1 && argument.front() == '-';
    Operands& operands = built.operands;
    if (!is_flag && taken < operands.each.size()) {
      *operands.each[taken++] = argument;
    } else if (!is_flag && operands.rest != nullptr) {
      operands.rest->push_back(argument);
    } else {
      return unexpected(*built.app, command, argument);
    }
  }
  return ok();
}

/// `--name=` with nothing behind it, as `--name=$UNSET` becomes. CLI11 would take the argument that
/// follows as its value: a file that is then not signed, or a check that is then not made.
Result<void> check_values(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") {
      break;
    }
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      return Error{ErrorKind::usage,
                   printable(argument) + ": the value is empty: is a variable not set?",
                   "leave the option out, or give it a value"};
    }
  }
  return ok();
}

/// Parses the command line of `command`. The one place where CLI11's exceptions stop.
///
/// @return  Whether help was asked for.
Result<bool> parse(BuiltApp& built, const Command& command, std::vector<std::string> arguments) {
  SIGNCTL_CHECK(check_values(arguments), "");
  // CLI11 takes them from the back.
  std::reverse(arguments.begin(), arguments.end());
  try {
    built.app->parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ParseError& error) {
    return Error{ErrorKind::usage,
                 error.what(),
                 "signctl " + std::string(command.name) + " --help lists its options"};
  }
  SIGNCTL_CHECK(take_operands(built, command), "");
  return false;
}

/// Packagers that have signtool built in take the path of a program and nothing more: a link or
/// copy of that name stands for it.
bool is_named_signtool(const std::string& program) {
  return to_lower(to_utf8(to_path(program).stem())) == "signtool";
}

Result<int> dispatch(Context& context, Line line);

/// Answers a command line of signtool's with an exit code of signtool's.
int run_signtool(Context& context, const Line& line) {
  const auto answer = [&](const std::string& command, std::vector<std::string> arguments) {
    const auto code =
        dispatch(context, Line{command, line.before, std::move(arguments), false, false});
    if (!code) {
      report_error(context, code.error());
    }
    return signtool_exit_code(code ? *code : exit_code(code.error().kind));
  };
  auto order = line.help ? SigntoolOrder{"help", {}, false} : translate_signtool(line.arguments);
  if (!order) {
    report_error(context, order.error());
    return signtool_exit_code(exit_code(order.error().kind));
  }
  if (order->command == "help") {
    context.write(command_help(*find_command("signtool")));
    return 0;
  }
  if (!order->warn_unstamped) {
    return answer(order->command, std::move(order->arguments));
  }
  const auto with = [&order](std::vector<std::string> flags) {
    flags.insert(flags.end(), order->arguments.begin(), order->arguments.end());
    return flags;
  };
  const int code = answer(order->command, with({"--timestamp=optional"}));
  const bool stamped =
      code == 0 && answer(order->command, with({"--timestamp=required", "-q"})) == 0;
  return code != 0 || stamped ? code : kSigntoolWarning;
}

/// Runs one command to its exit code.
Result<int> dispatch(Context& context, Line line) {
  if (line.command == "help") {
    line.help = true;
    line.command = join(line.arguments, " ");
    line.arguments.clear();
  }
  if (line.command == "signtool") {
    return run_signtool(context, line);
  }
  line.arguments.insert(line.arguments.begin(), line.before.begin(), line.before.end());
  line.before.clear();
  if (line.version && line.command.empty()) {
    line.command = "version";
    line.arguments.erase(std::remove_if(line.arguments.begin(),
                                        line.arguments.end(),
                                        [](const std::string& argument) {
                                          return argument == "-V" || argument == "--version";
                                        }),
                         line.arguments.end());
  }
  if (line.command.empty()) {
    if (line.help || line.arguments.empty()) {
      context.write(line.help ? overview() : short_overview());
      return line.help ? 0 : exit_code(ErrorKind::usage);
    }
    return Error{ErrorKind::usage, "no command given", "signctl --help lists all commands"};
  }
  const Command* command = find_command(line.command);
  if (command == nullptr) {
    const bool group_help =
        line.help || contains(line.arguments, "--help") || contains(line.arguments, "-h");
    if (group_help && begins_a_command(line.command)) {
      context.write(overview());
      return 0;
    }
    return unknown_command(line.command);
  }
  BuiltApp built = build_app(*command);
  SIGNCTL_TRY(const bool help, parse(built, *command, std::move(line.arguments)), "");
  if (help || line.help) {
    context.write(command_help(*command));
    return 0;
  }
  context.configure(*built.output);
  return built.runner(context);
}

}  // namespace

int run(std::vector<std::string> arguments) {
  const std::string program = arguments.empty() ? "" : arguments.front();
  arguments.erase(arguments.begin(), arguments.begin() + (arguments.empty() ? 0 : 1));
  if (const auto code = run_worker(arguments)) {
    return *code;
  }
  if (is_named_signtool(program)) {
    arguments.insert(arguments.begin(), "signtool");
  }
  Context context;
  // Until the flags have been parsed, so that errors about them come in the wanted form.
  OutputFlags early;
  early.json = contains(arguments, "--json");
  context.configure(early);
  auto code = dispatch(context, split(arguments));
  if (!code) {
    report_error(context, code.error());
  }
  const int result = code ? *code : exit_code(code.error().kind);
  const auto finished = context.finish();
  if (!finished && result == 0) {
    print_error(context, finished.error());
    return exit_code(finished.error().kind);
  }
  return result;
}

}  // namespace signctl::cli
