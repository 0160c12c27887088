// SPDX-License-Identifier: Apache-2.0
#include "cli/app_builder.hpp"

#include <CLI/CLI.hpp>

namespace signctl::cli {

BuiltApp::BuiltApp() = default;
BuiltApp::BuiltApp(BuiltApp&&) noexcept = default;
BuiltApp::~BuiltApp() = default;

BuiltApp build_app(const Command& command) {
  BuiltApp built;
  built.app = std::make_unique<CLI::App>("", std::string(command.name));
  built.output = std::make_shared<OutputFlags>();
  CLI::App& app = *built.app;
  // What is left over is judged by us, with better words.
  app.allow_extras();
  app.allow_windows_style_options(false);
  app.set_help_flag();
  Flags flags(app, built.operands);
  built.runner = command.setup(flags);
  flags.group("Output");
  flags.flag("--json", built.output->json, "Print one JSON document to standard output");
  flags.flag("-q,--quiet", built.output->quiet, "Print errors only");
  flags.count("-v,--verbose", built.output->verbose, "Print more; twice for all details");
  flags.value("--log-format", built.output->log_format, "text|json", "Form of messages on stderr");
  flags.value("--color", built.output->color, "auto|always|never", "Colours; NO_COLOR is honoured");
  app.set_help_flag("-h,--help", "Print this help")->group("Output");
  return built;
}

}  // namespace signctl::cli
