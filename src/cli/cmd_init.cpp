// SPDX-License-Identifier: Apache-2.0
#include "cli/ci_snippets.hpp"
#include "cli/command.hpp"
#include "cli/render_json.hpp"
#include "config/config.hpp"
#include "core/atomic_file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <signctl/provider.hpp>

#include <filesystem>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::string provider{"pfx"};
  std::string ci;
  std::string output{"signctl.yaml"};
  bool force{false};
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Options");
  flags.value("--provider", options.provider, "KIND", "Kind of signer; pfx unless said");
  flags.value("--ci",
              options.ci,
              "github|azure|gitlab|jenkins",
              "Also print the step for this kind of pipeline");
  flags.value("-o,--output", options.output, "FILE", "Config to write; signctl.yaml unless said");
  flags.flag("--force", options.force, "Replace a file that is there");
}

Error unknown_provider(const std::string& name) {
  std::vector<std::string> names;
  for (const Provider* provider : builtin_providers()) {
    names.emplace_back(provider->name());
  }
  const auto near = did_you_mean(name, names);
  return {ErrorKind::usage,
          "provider \"" + name + "\" is not in this build",
          near ? "did you mean \"" + *near + "\"?" : "it has " + join(names, ", ")};
}

/// The variables that the starter config takes its secrets from.
std::vector<std::string> secrets_of(const Provider& provider) {
  constexpr std::string_view kPrefix = "env:";
  std::vector<std::string> names;
  for (const SettingSpec& spec : provider.settings()) {
    if (spec.kind == SettingKind::secret && spec.example.substr(0, kPrefix.size()) == kPrefix) {
      names.emplace_back(spec.example.substr(kPrefix.size()));
    }
  }
  return names;
}

Result<int> run(const Options& options, Context& context) {
  const Provider* provider = find_provider(options.provider);
  if (provider == nullptr) {
    return unknown_provider(options.provider);
  }
  const std::string yaml = config::starter_yaml(provider->name());
  std::error_code code;
  if (!options.force && std::filesystem::exists(to_path(options.output), code)) {
    return Error{ErrorKind::output,
                 options.output + " is there already; nothing was written",
                 "--force replaces it, -o FILE writes elsewhere"};
  }
  SIGNCTL_CHECK(write_file(options.output, as_bytes(yaml), Existing::replace), "");
  const std::string snippet = ci_snippet(options.ci, secrets_of(*provider));
  if (context.json()) {
    Json json = document("init");
    json["config"] = options.output;
    json["provider"] = provider->name();
    json["pipeline_step"] = snippet;
    print_json(context, json);
    return 0;
  }
  context.line("wrote " + printable(options.output));
  if (!snippet.empty()) {
    context.line("\nThe step for your pipeline:\n");
    context.line(snippet);
  }
  context.line("Edit it, then: signctl plan, signctl rehearse, signctl doctor, signctl sign");
  return 0;
}

}  // namespace

const Command& init_command() {
  static constexpr Command kCommand{
      "init",
      "Set up",
      "",
      "Write a commented signctl.yaml",
      "Writes a config to start from, and with --ci prints the step that runs it in a pipeline.",
      "  signctl init\n"
      "  signctl init --provider pfx --ci github\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
