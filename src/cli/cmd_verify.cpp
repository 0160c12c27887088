// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/files.hpp"
#include "cli/render.hpp"
#include "cli/reports.hpp"
#include "cli/settings.hpp"
#include "cli/sign_run.hpp"

#include <algorithm>
#include <thread>

namespace signctl::cli {

namespace {

struct Options {
  FileFlags files;
  std::string catalog;
  ConfigFlags config;
  TrustFlags trust;
  ExpectFlags expect;
  std::optional<int> jobs;
  ReportFlags report;
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.files);
  flags.value("--catalog",
              options.catalog,
              "FILE",
              "Judge the files by this security catalog (.cat), not by signatures of their own");
  declare(flags, options.config);
  declare(flags, options.trust);
  declare(flags, options.expect);
  flags.group("Run");
  flags.number(
      "-j,--jobs", options.jobs, "N", "Files at the same time; one for each CPU unless said");
  declare(flags, options.report);
}

Result<int> jobs_of(const Options& options) {
  if (!options.jobs) {
    constexpr unsigned kPlenty = 16;
    return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kPlenty));
  }
  return checked_jobs(*options.jobs);
}

void print_file_verdict(Context& context, const engine::FileResult& result) {
  if (!result.outcome) {
    print_error(context, result.outcome.error());
    annotate(context, result.path, result.outcome.error().message);
    return;
  }
  print_verdict(context, *result.outcome);
  if (result.outcome->verdict.passed) {
    return;
  }
  const auto objections = result.outcome->verdict.objections();
  // With --quiet the objections are still said, as errors are.
  if (context.quiet()) {
    print_error(context, {ErrorKind::gate, "the gate refused " + result.path});
    print_objections(context, objections);
  }
  for (const Finding& finding : objections) {
    annotate(context, result.path, finding_text(finding));
  }
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_CHECK(check(options.report), "");
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  SIGNCTL_TRY(auto gate, make_gate(config, options.trust, context), "");
  SIGNCTL_CHECK(apply(options.expect, gate.rules), "");
  SIGNCTL_TRY(const auto files, plan_files(config, options.files), "");
  Batch batch;
  for (const auto& file : files.plan.files) {
    batch.paths.push_back(file.path);
  }
  SIGNCTL_TRY(batch.jobs, jobs_of(options), "");
  const TimePoint now = context.clock().now();
  batch.after_failure = AfterFailure::go_on;
  std::optional<engine::JudgedCatalog> catalog;
  if (!options.catalog.empty()) {
    SIGNCTL_TRY(catalog, engine::open_catalog(options.catalog, gate, now), "");
  }
  batch.work = [&](std::size_t i) {
    return catalog ? engine::verify_by_catalog(batch.paths[i], *catalog)
                   : engine::verify_file(batch.paths[i], gate, now);
  };
  batch.on_file = [&](const engine::FileResult& result) { print_file_verdict(context, result); };
  const auto summary = run_batch(batch);
  return finish_batch(context, {"verify", "passed"}, summary, options.report);
}

}  // namespace

const Command& verify_command() {
  static constexpr Command kCommand{
      "verify",
      "Sign",
      "FILE...",
      "Judge files as the gate does before a release",
      "Checks every signature of every file, nested ones included: digest, signature, chain, "
      "timestamp, and that nothing in the file escapes the signature. Says who signed it and all "
      "that is wrong. Exit code 0 means that every file passed.\n"
      "The rules are those of the config's gate section, if there is a config, and the flags'.\n"
      "With --catalog a file passes if the catalog does and lists the file's digest, as for "
      "drivers.",
      "  signctl verify dist/*.exe\n"
      "  signctl verify --expect-subject \"CN=Contoso Ltd\" setup.exe\n"
      "  signctl verify --dev app.exe      # signed for a rehearsal\n"
      "  signctl verify --catalog driver.cat driver.sys driver.inf\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
