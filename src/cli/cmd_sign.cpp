// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/failed_start.hpp"
#include "cli/files.hpp"
#include "cli/files_read.hpp"
#include "cli/plan_inside.hpp"
#include "cli/reports.hpp"
#include "cli/shard.hpp"
#include "cli/sign_run.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "engine/timestamp_trust.hpp"

#include <algorithm>
#include <utility>

namespace signctl::cli {

namespace {

constexpr BatchWords kWords{"sign", "signed"};

struct Options {
  FileFlags files;
  TargetFlags target;
  ConfigFlags config;
  SignerFlags signer;
  SignatureFlags signature;
  DeepFlags deep;
  ExistingFlags existing;
  TimestampFlags timestamp;
  TrustFlags trust;
  IdentityFlags identity;
  RunFlags run;
  ShardFlags shard;
  AuditFlags audit;
  ReportFlags report;
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.files);
  declare(flags, options.target);
  declare(flags, options.config);
  declare(flags, options.signer);
  declare(flags, options.signature);
  declare(flags, options.deep);
  declare(flags, options.existing);
  declare(flags, options.timestamp, TimestampNeed::may_be_left_out);
  declare(flags, options.trust);
  declare(flags, options.identity);
  declare(flags, options.run);
  declare(flags, options.shard);
  declare(flags, options.audit);
  declare(flags, options.report);
}

LedgerPaths ledger_paths(const AuditFlags& flags, const config::Config& config) {
  return {flags.manifest.empty() ? config.manifest : flags.manifest,
          flags.log.empty() ? config.audit_log : flags.log};
}

/// Whether one of the files may cost money while another is known to fail.
bool pays_for_several(const Options& options,
                      const std::vector<SignerChoice>& signers,
                      const SignRun& sign) {
  const bool billable = std::any_of(signers.begin(), signers.end(), [](const SignerChoice& choice) {
    return choice.provider->traits().billable;
  });
  return billable && sign.tasks.size() > 1 && !options.run.keep_going;
}

/// What is known of a run, step by step.
struct Preparation {
  config::Config config;
  SignRun sign;
  std::optional<Share> share;
  std::vector<engine::FileResult> failing{};  ///< Foreseen, so that nothing is begun.

  [[nodiscard]] RunPlan plan() const { return {config, sign.tasks, share}; }
};

FilesRead files_read(const Options& options, const config::Config& config) {
  FilesRead read;
  read.add(options.config);
  read.add(options.signer);
  read.add(options.timestamp);
  read.add(options.trust);
  read.add(config);
  return read;
}

Paperwork papers_of(const Options& options, const Preparation& ready) {
  Paperwork papers{options.report, ledger_paths(options.audit, ready.config), options.files.files};
  for (const engine::FileTask& task : ready.sign.tasks) {
    papers.taken.push_back(task.input);
    papers.taken.push_back(task.output);
  }
  const FilesRead read = files_read(options, ready.config);
  papers.taken.insert(papers.taken.end(), read.paths().begin(), read.paths().end());
  return papers;
}

Result<void> prepare(const Options& options, Preparation& ready, Context& context) {
  SignRun& sign = ready.sign;
  SIGNCTL_CHECK(check(options.report), "");
  sign.report = options.report;
  SIGNCTL_TRY(ready.config, load_config(options.config), "");
  const config::Config& config = ready.config;
  SIGNCTL_CHECK(check(options.shard), "");
  SIGNCTL_TRY(sign.options,
              sign_options(config, options.signature, options.existing, options.timestamp),
              "");
  SIGNCTL_TRY(const auto signers, choose_signers(config, options.signer), "");
  SIGNCTL_TRY(
      auto timestamp, timestamp_options(config, options.timestamp, signers.front().provider), "");
  SIGNCTL_TRY(sign.gate, make_gate(config, options.trust, context), "");
  SIGNCTL_CHECK(apply(options.identity, sign.gate.rules), "");
  if (timestamp) {
    timestamp->check_chain = engine::timestamp_trust(sign.gate, context.clock());
  } else {
    sign.gate.rules.timestamp = TimestampRule::optional;
  }
  if (options.deep.deep) {
    sign.options.deep = true;
    sign.gate.rules.nested = NestedRule::require_signed;
  }
  SIGNCTL_TRY(auto files, plan_files(config, options.files), "");
  SIGNCTL_TRY(sign.tasks, make_tasks(files, options.target, sign.options), "");
  SIGNCTL_CHECK(files_read(options, config).check_outputs(sign.tasks), "");
  SIGNCTL_TRY(ready.share, take_share(options.shard, config, files, sign.tasks), "");
  for (const plan::PlannedFile& file : files.plan.files) {
    if (!file.real.empty()) {
      log_info(printable(file.path) + " leads to " + printable(file.real) +
               ", which is signed; the link stays");
    }
  }
  SIGNCTL_TRY(sign.part, part_of(ready.plan(), context), "");
  const std::size_t inside = options.deep.deep ? count_unsigned_inside(files.plan) : 0;
  SIGNCTL_TRY(const auto ahead, look_ahead(config, options.run, signers, sign.gate, context), "");
  SIGNCTL_CHECK(check_limits({sign.tasks, inside, ahead.stages, missing_folder(options.target)},
                             config,
                             options.run,
                             &signers.front()),
                "");
  if (pays_for_several(options, signers, sign)) {
    const auto look = [&] { return look_ahead(config, options.run, signers, sign.gate, context); };
    SIGNCTL_TRY(ready.failing, find_failing(sign.tasks, look, missing_folder(options.target)), "");
    if (!ready.failing.empty()) {
      return refusal_for(ready.failing, sign.tasks.size());
    }
  }
  SIGNCTL_TRY(sign.run, run_options(config, options.run), "");
  // A share may be empty; then nobody logs in.
  if (!sign.tasks.empty()) {
    SIGNCTL_TRY(
        sign.crew,
        make_crew(signers, timestamp, config, sign.run.jobs, {true, options.trust}, context),
        "");
  }
  SIGNCTL_TRY(sign.crew.shelf,
              engine::Shelf::open(shelf_options(config, options.run, signers), context.clock()),
              "");
  SIGNCTL_CHECK(make_folders(options.target, sign.tasks), "");
  const Paperwork papers = papers_of(options, ready);
  SIGNCTL_CHECK(check(papers), "");
  SIGNCTL_CHECK(write_begun_report(sign.report, kWords, sign.tasks.size(), sign.part, context), "");
  SIGNCTL_TRY(sign.ledger, Ledger::begin(papers.ledger, ready.plan(), context), "");
  return ok();
}

Result<int> run(const Options& options, Context& context) {
  Preparation ready;
  if (auto prepared = prepare(options, ready, context); !prepared) {
    for (const engine::FileResult& file : ready.failing) {
      annotate(context, file.path, file.outcome.error().message);
    }
    write_failed_start(papers_of(options, ready),
                       kWords,
                       ready.plan(),
                       prepared.error(),
                       context,
                       std::move(ready.failing));
    return prepared.error();
  }
  return sign_files(ready.sign, kWords, context);
}

}  // namespace

const Command& sign_command() {
  static constexpr Command kCommand{
      "sign",
      "Sign",
      "FILE...",
      "Sign files; without files, what the config's steps say",
      "Signs files, folders (every file in them that is of a known type), globs and lists. Each "
      "file "
      "is signed on a copy, which the gate verifies before it takes the file's place: a file is "
      "either untouched, or signed and verified.\nWithout files the steps of the config are done "
      "in "
      "order. Flags win over the config.",
      "  signctl sign setup.exe\n"
      "  signctl sign --step binaries -j 8\n"
      "  signctl sign 'publish/**/*.exe' '!**/vc_redist*' --output-dir signed\n"
      "  signctl sign --provider pfx -p file=cert.pfx -p password=env:PFX_PASSWORD \\\n"
      "      --timestamp-url http://timestamp.digicert.com setup.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
