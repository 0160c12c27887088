// SPDX-License-Identifier: Apache-2.0
// The commands that print what packagers install: completion and man.
#include "cli/command.hpp"
#include "cli/completion.hpp"
#include "cli/man_page.hpp"
#include "cli/render_json.hpp"

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::string shell;
};

void declare_options(Flags& flags, Options& options) {
  flags.operand(options.shell);
}

Result<int> run(const Options& options, Context& context) {
  const std::string script = completion_script(options.shell);
  if (script.empty()) {
    return Error{ErrorKind::usage,
                 options.shell.empty() ? "no shell is named"
                                       : "there are no completions for \"" + options.shell + "\"",
                 "use bash, zsh, fish or powershell"};
  }
  if (!context.json()) {
    context.write(script);
    return 0;
  }
  Json json = document("completion");
  json["shell"] = options.shell;
  json["script"] = script;
  print_json(context, json);
  return 0;
}

struct NoOptions {};

void declare_nothing(Flags& /*flags*/, NoOptions& /*options*/) {}

Result<int> run_man(const NoOptions& /*options*/, Context& context) {
  context.write(man_page());
  return 0;
}

}  // namespace

const Command& completion_command() {
  static constexpr Command kCommand{"completion",
                                    "Set up",
                                    "SHELL",
                                    "Print completions for bash, zsh, fish or powershell",
                                    "",
                                    "  source <(signctl completion bash)\n"
                                    "  signctl completion fish > "
                                    "~/.config/fish/completions/signctl.fish\n",
                                    set_up<Options, declare_options, run>};
  return kCommand;
}

const Command& man_command() {
  static constexpr Command kCommand{
      "man", "", "", "Print the manual page", "", "", set_up<NoOptions, declare_nothing, run_man>};
  return kCommand;
}

}  // namespace signctl::cli
