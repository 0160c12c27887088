// SPDX-License-Identifier: Apache-2.0
// What the shards of a plan wrote, made one.
#include "audit/log_runs.hpp"
#include "audit/manifest_check.hpp"
#include "audit/merge.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/failed_start.hpp"
#include "cli/merge_report.hpp"
#include "cli/render.hpp"
#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <filesystem>
#include <utility>

namespace signctl::cli {

namespace {

constexpr std::size_t kLargestInput = std::size_t{1} << 30U;

struct Options {
  std::vector<std::string> files;
  std::string manifest;
  std::string log;
  bool check_files{false};
  ReportFlags report;
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operands(options.files);
  flags.value("--manifest", options.manifest, "FILE", "Where the joined manifest goes");
  flags.value("--audit", options.log, "FILE", "The audit log that the others are appended to");
  flags.flag("--check-files",
             options.check_files,
             "Also fail when a file is not there as its shard wrote it down");
  declare(flags, options.report);
}

/// What was given, told apart by content.
struct Inputs {
  std::vector<audit::ShardManifest> manifests;
  std::vector<NamedReport> reports;
  std::vector<audit::LogText> logs;
  std::vector<std::string> heads;  ///< Of the logs.
};

std::string schema_of(const Json& json) {
  const auto schema = json.is_object() ? json.find("schema") : json.end();
  return json.is_object() && schema != json.end() && schema->is_string()
             ? schema->get<std::string>()
             : "";
}

Result<void> sort_in(const std::string& path, Inputs& inputs) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestInput), "");
  const std::string_view text = as_text(bytes);
  // A log is a document a line, so its first line is one alone.
  const Json line = Json::parse(text.substr(0, text.find('\n')), nullptr, false);
  if (schema_of(line).starts_with("signctl/audit/")) {
    SIGNCTL_TRY(auto checked, audit::check_intact(path, text), "");
    inputs.logs.push_back({path, std::string(text)});
    inputs.heads.push_back(std::move(checked.head));
    return ok();
  }
  Json json = Json::parse(text, nullptr, false);
  if (schema_of(json).starts_with("signctl/manifest/")) {
    SIGNCTL_TRY(auto manifest, audit::parse_manifest(bytes), "reading " + printable(path));
    inputs.manifests.push_back({path, std::move(manifest)});
    return ok();
  }
  if (schema_of(json).starts_with("signctl/")) {
    inputs.reports.push_back({path, std::move(json)});
    return ok();
  }
  return Error{
      ErrorKind::input,
      printable(path) + " is neither a manifest nor a JSON report nor an audit log of signctl",
      "of reports, the JSON ones are joined: sign --report FILE.json"};
}

/// What is given must have a place to go, and the other way round.
Result<void> check_pair(bool given, bool wanted, const std::string& what, const std::string& flag) {
  if (given == wanted) {
    return ok();
  }
  return given ? Error{ErrorKind::usage,
                       what + " are given and " + flag + " is not",
                       "say where they go"}
               : Error{ErrorKind::usage, flag + " is given and no " + what + " are", ""};
}

Result<void> check_flags(const Options& options, const Inputs& inputs) {
  SIGNCTL_CHECK(check(options.report), "");
  SIGNCTL_CHECK(
      check_pair(
          !inputs.manifests.empty(), !options.manifest.empty(), "manifests", "--manifest FILE"),
      "");
  SIGNCTL_CHECK(
      check_pair(!inputs.reports.empty(), !options.report.file.empty(), "reports", "--report FILE"),
      "");
  SIGNCTL_CHECK(
      check_pair(!inputs.logs.empty(), !options.log.empty(), "audit logs", "--audit FILE"), "");
  if (options.check_files && inputs.manifests.empty()) {
    return Error{ErrorKind::usage, "--check-files is given and no manifests are"};
  }
  return check({options.report, {options.manifest, options.log}, options.files});
}

/// What was given, by kind, and what is missing of it.
struct Parts {
  std::vector<audit::Part> manifests;
  std::vector<audit::Part> reports;
  std::vector<audit::Part> logs;
  std::vector<std::string> missing;
};

Result<std::string> text_there(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::exists(to_path(path), code)) {
    return std::string();
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestInput), "reading the audit log");
  return std::string(as_text(bytes));
}

Result<void> collect_logs(const Inputs& inputs, const audit::LogText& there, Parts& parts) {
  if (inputs.logs.empty()) {
    return ok();
  }
  SIGNCTL_TRY(auto runs, audit::last_runs(inputs.logs, there), "");
  for (audit::LogRun& run : runs) {
    const audit::ShardRecord& shard = *run.part.shard;
    if (run.exit_code != 0) {
      parts.missing.push_back("the audit log of " + audit::shard_name(shard, shard.index) +
                              " says that it ended with exit code " +
                              std::to_string(run.exit_code));
    }
    parts.logs.push_back(std::move(run.part));
  }
  return ok();
}

/// All kinds tell of one release, and each that is given tells of all its shards.
Result<Parts> check_parts(const Inputs& inputs, const audit::LogText& there) {
  Parts parts;
  for (const audit::ShardManifest& one : inputs.manifests) {
    parts.manifests.push_back({one.path, one.manifest.run, one.manifest.shard});
  }
  for (const NamedReport& report : inputs.reports) {
    parts.reports.push_back(part_of(report));
  }
  SIGNCTL_CHECK(collect_logs(inputs, there, parts), "");
  std::vector<audit::Part> all = parts.manifests;
  all.insert(all.end(), parts.reports.begin(), parts.reports.end());
  all.insert(all.end(), parts.logs.begin(), parts.logs.end());
  SIGNCTL_TRY(const auto release, audit::divide_parts(all), "");
  SIGNCTL_TRY(const auto reports, audit::divide_parts(parts.reports), "");
  SIGNCTL_CHECK(audit::check_each_once(reports, parts.reports, "report"), "");
  const auto check = [&](const std::vector<audit::Part>& given, std::string_view what) {
    const auto absent =
        given.empty() ? std::vector<std::string>() : audit::absent_parts(release, given, what);
    parts.missing.insert(parts.missing.end(), absent.begin(), absent.end());
  };
  check(parts.manifests, "manifest");
  check(parts.reports, "report");
  check(parts.logs, "audit log");
  return parts;
}

Result<void> join_reports(const Options& options,
                          const Inputs& inputs,
                          Context& context,
                          std::vector<std::string>& missing) {
  if (inputs.reports.empty()) {
    return ok();
  }
  SIGNCTL_TRY(Json joined, merge_reports(inputs.reports), "");
  const bool failed = joined["exit_code"] != 0;
  add_missing(missing, joined);
  SIGNCTL_TRY(const ReportFormat format, report_format(options.report), "");
  const std::string text =
      render_report(format, report_data(joined, context.clock().now()), joined);
  SIGNCTL_CHECK(write_file(options.report.file, as_bytes(text), Existing::replace),
                "writing the report");
  if (failed && missing.empty()) {
    missing.emplace_back("a report says that its shard did not end well");
  }
  return ok();
}

/// Whether a log has been appended before: a merge that is repeated adds nothing.
bool has_head(std::string_view log, const std::string& head) {
  return log.find(R"("head":")" + head + "\"") != std::string_view::npos;
}

Result<void> join_logs(const Options& options, const Inputs& inputs, std::string_view there) {
  for (std::size_t i = 0; i < inputs.logs.size(); ++i) {
    const audit::LogText& log = inputs.logs[i];
    SIGNCTL_TRY(auto target, audit::Log::open(options.log), "");
    if (has_head(there, inputs.heads[i])) {
      log_warning(log.name + " is in " + options.log + " already");
      continue;
    }
    SIGNCTL_CHECK(audit::append_log(target, log.name, log.text), "");
  }
  return ok();
}

/// Compares the files with what the shards wrote down: a manifest that is left over from an earlier
/// run is then found out.
void check_files(audit::Merged& merged, const std::string& manifest_path) {
  for (audit::FileRecord& file : merged.manifest.files) {
    if (!audit::is_good_state(file.state)) {
      continue;
    }
    const auto now = audit::digest_file(audit::path_from_manifest(file.path, manifest_path));
    const auto finding =
        audit::check_file(file, now ? std::optional<audit::FileDigests>(*now) : std::nullopt);
    if (finding) {
      file.state = "failed";
      file.why = finding->message;
      merged.missing.push_back(printable(file.path) + ": " + file.why);
      merged.manifest.run.exit_code = exit_code(ErrorKind::gate);
    }
  }
}

Result<int> merge(const Options& options, Context& context) {
  if (options.files.empty()) {
    return Error{ErrorKind::usage,
                 "no files are named",
                 "signctl merge --manifest FILE MANIFEST... joins what sign --shard wrote"};
  }
  Inputs inputs;
  for (const std::string& path : options.files) {
    SIGNCTL_CHECK(sort_in(path, inputs), "");
  }
  SIGNCTL_CHECK(check_flags(options, inputs), "");
  audit::LogText there{options.log, ""};
  if (!options.log.empty()) {
    SIGNCTL_TRY(there.text, text_there(options.log), "");
  }
  SIGNCTL_TRY(const Parts parts, check_parts(inputs, there), "");
  audit::Merged merged;
  if (!inputs.manifests.empty()) {
    SIGNCTL_TRY(merged, audit::merge_manifests(inputs.manifests, options.manifest), "");
  }
  if (options.check_files) {
    check_files(merged, options.manifest);
  }
  merged.missing.insert(merged.missing.end(), parts.missing.begin(), parts.missing.end());
  SIGNCTL_CHECK(join_reports(options, inputs, context, merged.missing), "");
  SIGNCTL_CHECK(join_logs(options, inputs, there.text), "");
  const int code = merged.missing.empty() ? 0 : exit_code(ErrorKind::gate);
  if (merged.manifest.run.exit_code == 0) {
    merged.manifest.run.exit_code = code;
  }
  if (!inputs.manifests.empty()) {
    // Also when something is missing: no older one may speak for this release.
    const std::string text = audit::to_text(merged.manifest);
    SIGNCTL_CHECK(write_file(options.manifest, as_bytes(text), Existing::replace),
                  "writing the manifest " + printable(options.manifest));
  }
  for (const std::string& line : merged.missing) {
    print_error(context, {ErrorKind::gate, line});
  }
  if (context.json()) {
    Json json = document("merge");
    json["exit_code"] = code;
    json["complete"] = code == 0;
    json["files"] = merged.manifest.files.size();
    json["manifests"] = inputs.manifests.size();
    json["reports"] = inputs.reports.size();
    json["audit_logs"] = inputs.logs.size();
    json["missing"] = merged.missing;
    print_json(context, json);
  }
  context.line(std::to_string(inputs.manifests.size()) + " manifests with " +
               std::to_string(merged.manifest.files.size()) + " files, " +
               std::to_string(inputs.reports.size()) + " reports, " +
               std::to_string(inputs.logs.size()) + " audit logs joined" +
               (code == 0 ? "" : "; the release is NOT complete"));
  return code;
}

Result<int> run(const Options& options, Context& context) {
  auto code = merge(options, context);
  if (!code) {
    // No older manifest or report may speak for shards that cannot be joined.
    const config::Config config;
    const std::vector<engine::FileTask> tasks;
    const std::optional<Share> share;
    write_failed_start({options.report, {options.manifest, ""}, options.files},
                       {"sign", "signed"},
                       RunPlan{config, tasks, share},
                       code.error(),
                       context);
  }
  return code;
}

}  // namespace

const Command& merge_command() {
  static constexpr Command kCommand{
      "merge",
      "Release day",
      "FILE...",
      "Join what the shards of a plan wrote",
      "Joins the manifests, JSON reports and audit logs of runs with --shard, told apart by their "
      "content. Exit code 1 when a planned file was not signed or a shard is missing; the manifest "
      "is "
      "written all the same and says that it is incomplete. Shards of different plans, configs, "
      "versions or builds are not joined. With --check-files the files are looked at as well: "
      "exit code 1 when one is not there, or not as its shard left it.\n"
      "A joined report may have any format; a joined log is a chain of its own, in which each "
      "record "
      "keeps the hash of the line that it was.",
      "  signctl merge --manifest dist/signctl-manifest.json shards/*/manifest.json\n"
      "  signctl merge --manifest m.json --report r.html --audit release.jsonl m*.json r*.json "
      "a*.jsonl\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
