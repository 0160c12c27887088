// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/development.hpp"
#include "cli/failed_start.hpp"
#include "cli/files.hpp"
#include "cli/files_read.hpp"
#include "cli/reports.hpp"
#include "cli/sign_run.hpp"
#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <filesystem>

namespace signctl::cli {

namespace {

namespace fs = std::filesystem;

constexpr BatchWords kWords{"rehearse", "rehearsed"};
constexpr const char* kMarker = "REHEARSAL.txt";
constexpr std::string_view kMarkerText =
    "Made by signctl rehearse: signed with a throw-away certificate, not for release.\n"
    "The next rehearsal empties this folder.\n";

struct Options {
  FileFlags files;
  std::string output_dir{"signctl-rehearsal"};
  ConfigFlags config;
  SignatureFlags signature;
  ExistingFlags existing;
  RunFlags run;
  ReportFlags report;
};

void declare_options(Flags& flags, Options& options) {
  declare(flags, options.files);
  flags.value("--output-dir",
              options.output_dir,
              "DIR",
              "Folder for the signed copies, emptied first; signctl-rehearsal unless said");
  declare(flags, options.config);
  declare(flags, options.signature);
  declare(flags, options.existing);
  declare(flags, options.run);
  declare(flags, options.report);
}

bool is_ours(const fs::path& folder) {
  const auto marker = read_file(to_utf8(folder / kMarker), kMarkerText.size());
  return marker && as_text(*marker) == kMarkerText;
}

/// Empties the folder of an earlier rehearsal. Any other folder with something in it is left alone.
Result<void> recreate(const std::string& folder) {
  const fs::path path = to_path(folder);
  std::error_code code;
  const bool ours = is_ours(path);
  if (!ours && fs::exists(path, code) &&
      !(fs::is_directory(path, code) && fs::is_empty(path, code))) {
    return Error{ErrorKind::output,
                 folder + " is there already and is not the folder of an earlier rehearsal",
                 "name another one with --output-dir"};
  }
  if (ours) {
    fs::remove_all(path, code);
  }
  if (!code) {
    fs::create_directories(path, code);
  }
  if (code) {
    return Error{ErrorKind::output,
                 "the folder " + folder + " cannot be made anew: " + code.message()};
  }
  return write_file(to_utf8(path / kMarker), as_bytes(kMarkerText), Existing::replace);
}

/// Takes out of the plan what an earlier rehearsal has made: a pattern like **/*.exe reaches it.
void leave_out(plan::FilePlan& plan, const std::string& folder) {
  if (!is_ours(to_path(folder))) {
    return;
  }
  std::error_code code;
  const fs::path base = fs::weakly_canonical(to_path(folder), code);
  const auto made_here = [&](const plan::PlannedFile& file) {
    std::error_code ignored;
    const fs::path relative =
        fs::weakly_canonical(to_path(file.path), ignored).lexically_relative(base);
    return !relative.empty() && *relative.begin() != "..";
  };
  for (const plan::PlannedFile& file : plan.files) {
    if (made_here(file)) {
      plan.excluded.push_back({file.path, "made by an earlier rehearsal"});
    }
  }
  std::erase_if(plan.files, made_here);
}

Result<engine::Crew> rehearsal_crew(const RehearsalSigner& signer, int jobs, Context& context) {
  engine::Crew crew;
  engine::SignerOptions options;
  options.name = "rehearsal";
  options.provider = "rehearsal";
  options.ceiling = jobs;
  options.open = [bundle = signer.bundle]() -> Result<std::unique_ptr<SigningSession>> {
    return open_rehearsal_session(bundle);
  };
  crew.signers.push_back(std::make_unique<engine::Signer>(
      std::move(options), context.clock(), RetryRules{}, engine::Pace::Time::max()));
  timestamp::Options timestamp;
  timestamp.servers = {"dev:"};
  SIGNCTL_TRY(crew.timestamper, timestamp::make_timestamper(timestamp, context.world()), "");
  SIGNCTL_TRY(crew.shelf, engine::Shelf::open({}, context.clock()), "");
  return crew;
}

Paperwork papers_of(const Options& options,
                    const config::Config& config,
                    const std::vector<engine::FileTask>& tasks) {
  Paperwork papers{options.report, {}, options.files.files};
  for (const engine::FileTask& task : tasks) {
    papers.taken.insert(papers.taken.end(), {task.input, task.output});
  }
  FilesRead read;
  read.add(options.config);
  read.add(config);
  papers.taken.insert(papers.taken.end(), read.paths().begin(), read.paths().end());
  return papers;
}

Result<void> prepare(const Options& options,
                     config::Config& config,
                     SignRun& sign,
                     Context& context) {
  SIGNCTL_CHECK(check(options.report), "");
  sign.report = options.report;
  SIGNCTL_TRY(config, load_config(options.config), "");
  SIGNCTL_TRY(sign.options, sign_options(config, options.signature, options.existing, {}), "");
  SIGNCTL_TRY(sign.gate, make_gate(config, {}, context), "");
  SIGNCTL_TRY(auto files, plan_files(config, options.files), "");
  leave_out(files.plan, options.output_dir);
  if (files.plan.files.empty()) {
    return Error{ErrorKind::input, "there is nothing to rehearse but what a rehearsal has made"};
  }
  TargetFlags target;
  target.output_dir = options.output_dir;
  SIGNCTL_TRY(sign.tasks, make_tasks(files, target, sign.options), "");
  engine::Stages foresight;
  foresight.gate = &sign.gate;
  foresight.clock = &context.clock();
  SIGNCTL_CHECK(
      check_limits(
          {sign.tasks, 0, foresight, missing_folder(target)}, config, options.run, nullptr),
      "");
  SIGNCTL_TRY(sign.run, run_options(config, options.run), "");
  SIGNCTL_TRY(const auto signer,
              make_rehearsal_signer(context.clock().now()),
              "making the rehearsal's certificates");
  SIGNCTL_CHECK(recreate(options.output_dir), "");
  SIGNCTL_CHECK(make_folders(target, sign.tasks), "");
  SIGNCTL_CHECK(check(papers_of(options, config, sign.tasks)), "");
  SIGNCTL_CHECK(write_begun_report(sign.report, kWords, sign.tasks.size(), {}, context), "");
  // The gate is the real one, but for who signed: nobody can hold the right name here.
  sign.gate.store = signer.store;
  sign.gate.trust_signer = true;
  sign.gate.rules.rehearsal = RehearsalRule::accept;
  sign.gate.rules.identity = {};
  SIGNCTL_TRY(sign.crew, rehearsal_crew(signer, sign.run.jobs, context), "");
  context.line("REHEARSAL into " + printable(options.output_dir) +
               ": a throw-away certificate and a local timestamp authority; the originals stay as "
               "they are, and who signed is not checked");
  return ok();
}

Result<int> run(const Options& options, Context& context) {
  config::Config config;
  SignRun sign;
  if (auto prepared = prepare(options, config, sign, context); !prepared) {
    write_failed_start(
        papers_of(options, config, sign.tasks), kWords, std::nullopt, prepared.error(), context);
    return prepared.error();
  }
  return sign_files(sign, kWords, context);
}

}  // namespace

const Command& rehearse_command() {
  static constexpr Command kCommand{
      "rehearse",
      "Try it",
      "FILE...",
      "Do the real plan with a throw-away certificate",
      "Does what signctl sign would do, with a certificate and a timestamp authority made for this "
      "run: no account, no network, no quota. Signs copies in a folder of their own; the originals "
      "stay as they are. Exits as signctl sign would. What it makes is marked, and passes no gate "
      "without --dev.",
      "  signctl rehearse\n"
      "  signctl rehearse dist/*.exe --output-dir /tmp/rehearsal\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
