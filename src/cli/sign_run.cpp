// SPDX-License-Identifier: Apache-2.0
#include "cli/sign_run.hpp"

#include "cli/errors.hpp"
#include "cli/render.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace signctl::cli {

namespace {

std::string note_on(const engine::FileResult& result,
                    const engine::SignOptions& options,
                    const engine::Crew& crew) {
  std::string note(digest_name(options.digest));
  const engine::FileOutcome& outcome = *result.outcome;
  if (crew.signers.size() > 1) {
    note += ", by " + outcome.signer;
  }
  if (!outcome.reused.empty()) {
    note += ", from " + outcome.reused;
  }
  if (!outcome.timestamp_source.empty()) {
    note += ", timestamp " + outcome.timestamp_source;
  } else if (outcome.reused.empty() || crew.timestamper == nullptr) {
    note += ", no timestamp";
  }
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

/// When the signature of a file ends because it has no timestamp; empty when it has one, or is for
/// rehearsals anyway.
std::optional<TimePoint> end_of(const engine::FileResult& result) {
  if (!result.outcome || result.outcome->verdict.rehearsal) {
    return std::nullopt;
  }
  std::optional<TimePoint> end;
  for (const SignatureInfo& signature : result.outcome->report.signatures) {
    if (!signature.timestamp && !signature.chain.certificates.empty()) {
      const TimePoint leaf = signature.chain.certificates.front().not_after;
      end = std::min(end.value_or(leaf), leaf);
    }
  }
  return end;
}

/// How many signatures `demand` will really need.
std::size_t count_signatures(const Demand& demand) {
  const auto fates = foresee(demand.tasks, demand.stages, demand.folder);
  const auto signatures = std::count_if(
      fates.begin(), fates.end(), [](const Fate& fate) { return fate.kind == Fate::Kind::sign; });
  return static_cast<std::size_t>(signatures) + demand.inside;
}

}  // namespace

Result<std::vector<engine::FileTask>> make_tasks(const FileSet& files,
                                                 const TargetFlags& target,
                                                 const engine::SignOptions& options) {
  SIGNCTL_TRY(const auto outputs, outputs_of(files, target), "");
  std::vector<engine::FileTask> tasks;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    tasks.push_back({files.plan.files[i].path, outputs[i], options, files.plan.files[i].step});
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

Result<void> check_limits(const Demand& demand,
                          const config::Config& config,
                          const RunFlags& flags,
                          const SignerChoice* signer) {
  if (flags.max_signatures && *flags.max_signatures < 0) {
    return Error{ErrorKind::usage, "--max-signatures wants a number of 0 or more"};
  }
  const int a_year = signer == nullptr ? 0 : signer->provider->traits().signatures_a_year;
  std::size_t signatures = demand.tasks.size() + demand.inside;
  const auto exceeds = [&](std::optional<int> limit) {
    return limit && signatures > static_cast<std::size_t>(*limit);
  };
  const auto quota = a_year > 0 ? std::optional(a_year) : std::nullopt;
  const auto left = signer == nullptr ? std::nullopt : quota_left(*signer, config);
  if (!exceeds(flags.max_signatures) && !exceeds(config.limits.signatures_per_run) &&
      !exceeds(quota) && !exceeds(left)) {
    return ok();
  }
  // Only now is it worth reading the files.
  signatures = count_signatures(demand);
  const std::string would = std::to_string(signatures) + " signatures would be made, and ";
  if (exceeds(flags.max_signatures)) {
    return Error{ErrorKind::usage,
                 would + "--max-signatures is " + std::to_string(*flags.max_signatures) +
                     "; nothing was signed",
                 "signctl plan lists the files"};
  }
  if (exceeds(config.limits.signatures_per_run)) {
    return Error{ErrorKind::config,
                 would + "limits.signatures_per_run is " +
                     std::to_string(*config.limits.signatures_per_run) + "; nothing was signed",
                 "signctl plan lists the files; raise the limit if they are right"};
  }
  if (exceeds(left)) {
    return Error{ErrorKind::provider,
                 would + "limits.quota leaves " + std::to_string(*left) + " to " +
                     signer->signer.name + "; nothing was signed",
                 "signctl plan lists the files; set what is left of the quota if that is wrong"};
  }
  if (exceeds(quota)) {
    return Error{
        ErrorKind::provider,
        would + signer->signer.name + " makes " + std::to_string(a_year) +
            " in a year; nothing was signed",
        "sign what is not yours to change elsewhere, or exclude it; signctl plan lists the "
        "files"};
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

Result<engine::RunOptions> run_options(const config::Config& config, const RunFlags& flags) {
  engine::RunOptions options;
  SIGNCTL_TRY(options.jobs, checked_jobs(flags.jobs.value_or(config.sign.jobs)), "");
  options.keep_going = flags.keep_going;
  return options;
}

Result<int> sign_files(SignRun& sign, const BatchWords& words, Context& context) {
  engine::RunOptions options = sign.run;
  const bool wanted_later = context.json() || !sign.report.file.empty();
  options.keep = wanted_later ? engine::Keep::everything : engine::Keep::outcomes;
  bool warned = false;
  options.on_file = [&](const engine::FileResult& result, std::size_t, std::size_t) {
    const bool done = result.outcome && result.outcome->state == engine::FileState::done;
    sign.ledger.note(result, context.clock().now());
    print_file(context, words, result, done ? note_on(result, sign.options, sign.crew) : "");
    warn_of_inside(result, sign.gate.rules);
    if (const auto end = end_of(result); end && !std::exchange(warned, true)) {
      log_warning("without a timestamp the signature of " + result.path +
                  " ends with its certificate, " + to_iso8601(*end) +
                  "; so do others of this run that have none");
    }
  };
  const auto summary = engine::sign_all(sign.tasks, sign.gate, sign.crew, context.clock(), options);
  const int code = finish_batch(context, words, summary, sign.report, sign.part);
  if (auto written = sign.ledger.end(summary, sign.gate, context.clock().now()); !written) {
    print_error(context, written.error());
    // A run that failed says so first.
    return code == 0 ? exit_code(written.error().kind) : code;
  }
  return code;
}

}  // namespace signctl::cli
