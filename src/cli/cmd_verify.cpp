// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/failed_start.hpp"
#include "cli/files.hpp"
#include "cli/files_read.hpp"
#include "cli/render.hpp"
#include "cli/reports.hpp"
#include "cli/settings.hpp"
#include "cli/sign_run.hpp"
#include "cli/verify_manifest.hpp"

#include <algorithm>
#include <thread>

namespace signctl::cli {

namespace {

constexpr BatchWords kWords{"verify", "passed"};

struct Options {
  FileFlags files;
  std::string catalog;
  std::string manifest;
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
  flags.value("--manifest",
              options.manifest,
              "FILE",
              "Prove that what sign --manifest wrote down is there as it was, and nothing else");
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

Result<Batch> file_batch(const Options& options,
                         const config::Config& config,
                         const engine::Gate& gate,
                         TimePoint now,
                         std::optional<engine::JudgedCatalog>& catalog) {
  Batch batch;
  SIGNCTL_TRY(const auto files, plan_files(config, options.files), "");
  batch.paths = paths_of(files.plan);
  if (!options.catalog.empty()) {
    SIGNCTL_TRY(catalog, engine::open_catalog(options.catalog, gate, now), "");
  }
  batch.work = [paths = batch.paths, &gate, now, &catalog](std::size_t i) {
    return catalog ? engine::verify_by_catalog(paths[i], *catalog)
                   : engine::verify_file(paths[i], gate, now);
  };
  return batch;
}

Result<Batch> manifest_batch_of(const Options& options,
                                const config::Config& config,
                                const engine::Gate& gate,
                                TimePoint now) {
  if (!options.catalog.empty()) {
    return Error{ErrorKind::usage, "--manifest and --catalog exclude each other"};
  }
  ReleasedFiles released;
  if (!options.files.files.empty() || !options.files.step.empty()) {
    SIGNCTL_TRY(const auto files, plan_files(config, options.files, FolderTakes::all), "");
    released.named = paths_of(files.plan);
  }
  released.passed_over = {config.audit_log, config.manifest, options.report.file};
  return manifest_batch(options.manifest, released, gate, now);
}

/// What the work on the files needs; the batch borrows from the rest.
struct Preparation {
  config::Config config;
  engine::Gate gate;
  std::optional<engine::JudgedCatalog> catalog;
  Batch batch;
};

Paperwork papers_of(const Options& options, const Preparation& ready) {
  Paperwork papers{options.report, {}, options.files.files};
  papers.taken.insert(papers.taken.end(), ready.batch.paths.begin(), ready.batch.paths.end());
  papers.taken.insert(papers.taken.end(), {options.manifest, options.catalog});
  FilesRead read;
  read.add(options.config);
  read.add(options.trust);
  read.add(ready.config);
  papers.taken.insert(papers.taken.end(), read.paths().begin(), read.paths().end());
  return papers;
}

Result<void> prepare(const Options& options, Preparation& ready, Context& context) {
  SIGNCTL_CHECK(check(options.report), "");
  SIGNCTL_TRY(ready.config, load_config(options.config), "");
  SIGNCTL_TRY(ready.gate, make_gate(ready.config, options.trust, context), "");
  SIGNCTL_CHECK(apply(options.expect, ready.gate.rules), "");
  const TimePoint now = context.clock().now();
  SIGNCTL_TRY(ready.batch,
              options.manifest.empty()
                  ? file_batch(options, ready.config, ready.gate, now, ready.catalog)
                  : manifest_batch_of(options, ready.config, ready.gate, now),
              "");
  SIGNCTL_TRY(ready.batch.jobs, jobs_of(options), "");
  SIGNCTL_CHECK(check(papers_of(options, ready)), "");
  return write_begun_report(options.report, kWords, ready.batch.paths.size(), {}, context);
}

Result<int> run(const Options& options, Context& context) {
  Preparation ready;
  if (auto prepared = prepare(options, ready, context); !prepared) {
    write_failed_start(papers_of(options, ready), kWords, std::nullopt, prepared.error(), context);
    return prepared.error();
  }
  Batch& batch = ready.batch;
  batch.after_failure = AfterFailure::go_on;
  batch.on_file = [&](const engine::FileResult& result) { print_file_verdict(context, result); };
  const auto summary = run_batch(batch);
  return finish_batch(context, kWords, summary, options.report);
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
      "drivers.\n"
      "With --manifest every file that sign --manifest wrote down must be there with the same "
      "bytes "
      "and pass, the run must have been complete, and no other file may be among those named, or, "
      "without names, no other file of a known type in the same folders and below.",
      "  signctl verify dist/*.exe\n"
      "  signctl verify --expect-subject \"CN=Contoso Ltd\" setup.exe\n"
      "  signctl verify --dev app.exe      # signed for a rehearsal\n"
      "  signctl verify --catalog driver.cat driver.sys driver.inf\n"
      "  signctl verify --manifest dist/signctl-manifest.json dist\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
