// SPDX-License-Identifier: Apache-2.0
#include "cli/sign_run.hpp"

#include "cli/render.hpp"
#include "core/log.hpp"
#include "core/path.hpp"

#include <algorithm>
#include <filesystem>

namespace signctl::cli {

namespace {

std::string note_on(const engine::FileResult& result, const engine::SignOptions& options) {
  std::string note(digest_name(options.digest));
  const engine::FileOutcome& outcome = *result.outcome;
  note += outcome.timestamp_source.empty() ? ", no timestamp"
                                           : ", timestamp " + outcome.timestamp_source;
  if (!outcome.signed_inside.empty()) {
    note += ", " + std::to_string(outcome.signed_inside.size()) + " inside";
  }
  note += ", gate passed";
  return outcome.verdict.rehearsal ? note + ", REHEARSAL: not for release" : note;
}

/// With gate.nested: report, what is wrong inside is said although the file is signed.
void warn_of_inside(const engine::FileResult& result, const GateRules& rules) {
  if (!result.outcome || rules.nested != NestedRule::report) {
    return;
  }
  for (const Finding& finding : judge_inside(result.outcome->report, rules)) {
    log_warning(result.path + ": " + finding_text(finding));
  }
}

}  // namespace

Result<std::vector<engine::FileTask>> make_tasks(const FileSet& files,
                                                 const TargetFlags& target,
                                                 const engine::SignOptions& options) {
  SIGNCTL_TRY(const auto outputs, outputs_of(files, target), "");
  std::vector<engine::FileTask> tasks;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    tasks.push_back({files.plan.files[i].path, outputs[i], options});
  }
  return tasks;
}

Result<void> make_folders(const TargetFlags& target, const std::vector<engine::FileTask>& tasks) {
  if (target.output_dir.empty()) {
    return ok();
  }
  for (const engine::FileTask& task : tasks) {
    const auto folder = to_path(task.output).parent_path();
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code) {
      return Error{ErrorKind::output,
                   "the folder " + to_utf8(folder) + " cannot be created: " + code.message()};
    }
  }
  return ok();
}

Result<void> check_limit(std::size_t signatures, std::optional<int> limit) {
  if (limit && *limit < 0) {
    return Error{ErrorKind::usage, "--max-signatures wants a number of 0 or more"};
  }
  if (limit && signatures > static_cast<std::size_t>(*limit)) {
    return Error{ErrorKind::usage,
                 std::to_string(signatures) +
                     " signatures would be made, and --max-signatures is " +
                     std::to_string(*limit) + "; nothing was signed",
                 "signctl plan lists the files"};
  }
  return ok();
}

Result<int> checked_jobs(int jobs) {
  constexpr int kMaxJobs = 256;
  if (jobs < 1 || jobs > kMaxJobs) {
    return Error{ErrorKind::usage, "--jobs wants a number from 1 to " + std::to_string(kMaxJobs)};
  }
  return jobs;
}

Result<engine::RunOptions> run_options(const config::Config& config,
                                       const RunFlags& flags,
                                       const SignerChoice* choice) {
  engine::RunOptions options;
  SIGNCTL_TRY(options.jobs, checked_jobs(flags.jobs.value_or(config.sign.jobs)), "");
  if (choice != nullptr) {
    for (const int ceiling :
         {choice->provider->traits().max_parallel, config::max_parallel(choice->signer)}) {
      options.jobs = ceiling > 0 ? std::min(options.jobs, ceiling) : options.jobs;
    }
  }
  options.keep_going = flags.keep_going;
  return options;
}

Result<int> sign_files(const SignRun& sign, const BatchWords& words, Context& context) {
  engine::RunOptions options = sign.run;
  options.on_file = [&](const engine::FileResult& result, std::size_t, std::size_t) {
    const bool done = result.outcome && result.outcome->state == engine::FileState::done;
    print_file(context, words, result, done ? note_on(result, sign.options) : "");
    warn_of_inside(result, sign.gate.rules);
  };
  const auto summary =
      engine::sign_all(sign.tasks, sign.gate, sign.factory, context.clock(), options);
  return finish_batch(context, words, summary);
}

}  // namespace signctl::cli
