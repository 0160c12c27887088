// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::string file;
  bool ranges{false};
  ConfigFlags config;
  TrustFlags trust;
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operand(options.file);
  flags.flag("--ranges", options.ranges, "List the byte ranges that the digest covers");
  declare(flags, options.config);
  declare(flags, options.trust);
}

Result<int> run(const Options& options, Context& context) {
  if (options.file.empty()) {
    return Error{ErrorKind::usage, "no file is named", "signctl inspect FILE"};
  }
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  SIGNCTL_TRY(const auto gate, make_gate(config, options.trust, context), "");
  SIGNCTL_TRY(
      const auto outcome, engine::verify_file(options.file, gate, context.clock().now()), "");
  if (context.json()) {
    Json json = document("inspect");
    json["path"] = options.file;
    json.update(to_json(outcome.report));
    json["findings"] = to_json(outcome.report.findings);
    print_json(context, json);
    return 0;
  }
  print_report(context, outcome.report, options.ranges ? Ranges::show : Ranges::hide);
  return 0;
}

}  // namespace

const Command& inspect_command() {
  static constexpr Command kCommand{
      "inspect",
      "Look",
      "FILE",
      "Show everything in a file's signatures",
      "Shows every signature, nested ones included, with its certificates, attributes and "
      "timestamp, "
      "and what verification found. It judges nothing: the exit code is 0 for a bad signature too.",
      "  signctl inspect setup.exe\n"
      "  signctl inspect --json setup.exe | jq '.signatures[0].timestamp'\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
