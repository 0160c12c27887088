// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger.hpp"

#include "audit/build_facts.hpp"
#include "cli/render.hpp"
#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLargestConfig = 1U << 20U;

/// Calls `work` once for each index below `count`, from as many threads as there are cores. Goes on
/// when somebody asks to stop: what has been signed has to be written down.
void for_each_index(std::size_t count, const std::function<void(std::size_t)>& work) {
  constexpr unsigned kPlenty = 16;
  const std::size_t wanted = std::clamp(std::thread::hardware_concurrency(), 1U, kPlenty);
  std::atomic<std::size_t> next{0};
  const auto loop = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      work(i);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(wanted, count); ++i) {
    threads.emplace_back(loop);
  }
  loop();
  for (std::thread& thread : threads) {
    thread.join();
  }
}

audit::SignatureRecord signature_of(const Report& report) {
  audit::SignatureRecord record;
  if (report.signatures.empty()) {
    return record;
  }
  const SignatureInfo& signature = report.signatures.front();
  record.digest = std::string(digest_name(signature.digest_alg)) + ":" + signature.digest_hex;
  if (!signature.chain.certificates.empty()) {
    record.certificate = signature.chain.certificates.front().subject;
    record.certificate_sha256 = signature.chain.certificates.front().sha256_hex;
  }
  if (signature.timestamp && signature.timestamp->valid) {
    record.timestamp = to_iso8601(signature.timestamp->time);
  }
  return record;
}

/// The bytes that are there, and the gate's word on exactly these.
struct Judged {
  audit::FileDigests digests;
  engine::FileOutcome outcome;
};

Result<Judged> judge(const std::string& path, const engine::Gate& gate, TimePoint now) {
  SIGNCTL_TRY(const auto source, FileSource::open(path), "");
  SIGNCTL_TRY(auto digests, audit::digest_source(*source), "reading " + path);
  SIGNCTL_TRY(auto outcome, engine::verify_file(path, gate, now), "");
  SIGNCTL_TRY(const FileIdentity identity, source->identity_now(), "");
  if (identity != source->identity()) {
    return Error{ErrorKind::gate, path + " was changed by somebody else after it was signed"};
  }
  if (!outcome.verdict.passed) {
    return Error{ErrorKind::gate,
                 path + " does not pass the gate any more: " +
                     finding_text(outcome.verdict.objections().front())};
  }
  return Judged{std::move(digests), std::move(outcome)};
}

Json event(std::string_view name, const std::string& run, TimePoint now) {
  return {{"time", to_iso8601(now)}, {"run", run}, {"event", name}};
}

/// What is known of a file as soon as the gate has judged it.
void describe(const engine::FileOutcome& outcome, Json& record) {
  switch (outcome.state) {
    case engine::FileState::done:
      record["event"] = "file-signed";
      break;
    case engine::FileState::skipped:
      record["event"] = "file-skipped";
      record["why"] = outcome.reason;
      return;
    case engine::FileState::refused:
      record["event"] = "file-refused";
      record["why"] = finding_text(outcome.verdict.objections().front());
      return;
  }
  const audit::SignatureRecord signature = signature_of(outcome.report);
  record["output"] = outcome.path;
  record["signer"] = outcome.signer;
  record["certificate"] = signature.certificate;
  record["certificate_sha256"] = signature.certificate_sha256;
  record["digest"] = signature.digest;
  record["timestamp"] = signature.timestamp;
  record["timestamp_by"] = outcome.timestamp_source;
  record["reused"] = outcome.reused;
  record["rehearsal"] = outcome.verdict.rehearsal;
}

bool ended_well(const audit::FileRecord& file) {
  return file.state == "signed" || file.state == "skipped";
}

}  // namespace

Result<audit::Part> part_of(const RunPlan& plan, Context& context) {
  audit::Part part;
  part.run.version = SIGNCTL_VERSION;
  part.run.started = to_iso8601(context.clock().now());
  part.run.config = plan.config.file;
  if (!plan.config.file.empty()) {
    SIGNCTL_TRY(const Bytes text, read_file(plan.config.file, kLargestConfig), "");
    part.run.config_sha256 = to_hex(crypto::hash(DigestAlg::sha256, text));
  }
  part.run.build_sha256 = audit::build_sha256(context.environment());
  if (plan.share) {
    const Share& share = *plan.share;
    part.shard = {share.shard.index, share.shard.count, share.plan_sha256, {}, share.steps};
  }
  return part;
}

Result<Ledger> Ledger::open(LedgerPaths paths, const RunPlan& plan, Context& context) {
  constexpr std::size_t kIdBytes = 16;
  Ledger ledger;
  ledger.paths_ = std::move(paths);
  if (!ledger.paths_.log.empty()) {
    SIGNCTL_TRY(ledger.log_, audit::Log::open(ledger.paths_.log), "");
  }
  if (!ledger.is_wanted()) {
    return ledger;
  }
  SIGNCTL_TRY(audit::Part part, part_of(plan, context), "");
  audit::RunRecord& run = ledger.manifest_.run;
  run = std::move(part.run);
  run.id = to_hex(crypto::random_bytes(kIdBytes));
  run.exit_code = exit_code(ErrorKind::interrupted);
  for (const engine::FileTask& task : plan.tasks) {
    audit::FileRecord file;
    SIGNCTL_TRY(file.path, ledger.recorded_path(task.output), "");
    file.state = "not-started";
    file.step = task.step;
    ledger.manifest_.files.push_back(std::move(file));
    ledger.inputs_.push_back(task.input);
    ledger.outputs_.push_back(task.output);
  }
  if (plan.share) {
    ledger.manifest_.shard = std::move(part.shard);
    SIGNCTL_CHECK(ledger.record_share(*plan.share), "");
  }
  return ledger;
}

Result<Ledger> Ledger::begin(LedgerPaths paths, const RunPlan& plan, Context& context) {
  SIGNCTL_TRY(Ledger ledger, open(std::move(paths), plan, context), "");
  if (!ledger.is_wanted()) {
    return ledger;
  }
  ledger.hash_inputs();
  SIGNCTL_CHECK(ledger.write(), "");
  SIGNCTL_CHECK(ledger.log_begin(plan.config, context), "");
  return ledger;
}

Result<void> Ledger::record_failure(LedgerPaths paths,
                                    const RunPlan& plan,
                                    const Error& failure,
                                    Context& context) {
  auto opened = open(paths, plan, context);
  if (!opened) {
    // Perhaps for names that a manifest cannot hold.
    opened = open(std::move(paths), {plan.config, {}, {}}, context);
  }
  SIGNCTL_TRY(Ledger ledger, std::move(opened), "");
  if (!ledger.is_wanted()) {
    return ok();
  }
  for (audit::FileRecord& file : ledger.manifest_.files) {
    file.why = failure.message;
  }
  ledger.manifest_.run.exit_code = exit_code(failure.kind);
  ledger.manifest_.run.ended = to_iso8601(context.clock().now());
  SIGNCTL_CHECK(ledger.write(), "");
  SIGNCTL_CHECK(ledger.log_begin(plan.config, context), "");
  return ledger.log_end(&failure);
}

void Ledger::hash_inputs() {
  std::vector<Result<audit::FileDigests>> before(inputs_.size(), audit::FileDigests{});
  for_each_index(inputs_.size(),
                 [&](std::size_t i) { before[i] = audit::digest_file(inputs_[i]); });
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    // What cannot be read is the run's to report.
    if (before[i]) {
      manifest_.files[i].before = std::move(*before[i]);
    }
  }
}

Result<void> Ledger::record_share(const Share& share) {
  audit::ShardRecord& record = *manifest_.shard;
  for (std::size_t i = 0; i < share.outputs.size(); ++i) {
    SIGNCTL_TRY(auto path, recorded_path(share.outputs[i]), "");
    record.whole.push_back({std::move(path), share.shards[i]});
    if (share.shards[i] == share.shard.index) {
      places_.push_back(i);
    }
  }
  return ok();
}

Result<std::string> Ledger::recorded_path(const std::string& path) const {
  return paths_.manifest.empty() ? Result<std::string>(path)
                                 : audit::path_in_manifest(path, paths_.manifest);
}

Result<void> Ledger::log_begin(const config::Config& config, Context& context) {
  if (!log_) {
    return ok();
  }
  Json record = event("run-started", manifest_.run.id, context.clock().now());
  record["version"] = manifest_.run.version;
  record["config"] = config.file;
  record["config_sha256"] = manifest_.run.config_sha256;
  record["planned"] = inputs_.size();
  record["build_sha256"] = manifest_.run.build_sha256;
  if (manifest_.shard) {
    record["shard"] = audit::shard_json(*manifest_.shard);
  }
  record["build"] = Json::object();
  for (const auto& [name, value] : audit::build_facts(context.environment())) {
    record["build"][name] = value;
  }
  SIGNCTL_CHECK(log_->append(record), "");
  return log_->sync();
}

void Ledger::note(const engine::FileResult& result, TimePoint now) {
  if (!log_ || log_failure_) {
    return;
  }
  Json record = event("file-failed", manifest_.run.id, now);
  record["path"] = result.path;
  if (!result.outcome) {
    record["kind"] = kind_name(result.outcome.error().kind);
    record["why"] = result.outcome.error().message;
  } else {
    describe(*result.outcome, record);
  }
  if (auto appended = log_->append(record); !appended) {
    log_failure_ = appended.error();
  }
}

Result<void> Ledger::log_end(const Error* failure) {
  if (!log_) {
    return ok();
  }
  if (log_failure_) {
    return *log_failure_;
  }
  Json record = event("run-ended", manifest_.run.id, {});
  record["time"] = manifest_.run.ended;
  record["exit_code"] = manifest_.run.exit_code;
  record["complete"] = manifest_.complete();
  if (failure != nullptr) {
    record["kind"] = kind_name(failure->kind);
    record["why"] = failure->message;
  }
  record["files"] = Json::array();
  for (std::size_t i = 0; i < manifest_.files.size(); ++i) {
    const audit::FileRecord& file = manifest_.files[i];
    Json one{{"path", outputs_[i]}, {"state", file.state}};
    one["before_sha256"] = file.before ? file.before->sha256 : "";
    one["after_sha256"] = file.after ? file.after->sha256 : "";
    record["files"].push_back(std::move(one));
  }
  SIGNCTL_CHECK(log_->append(record), "");
  return log_->sync();
}

void Ledger::record_ends(const engine::RunSummary& summary) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    places.emplace(inputs_[i], i);
  }
  for (const engine::FileResult& result : summary.files) {
    const auto place = places.find(result.path);
    if (place == places.end()) {
      continue;
    }
    audit::FileRecord& file = manifest_.files[place->second];
    if (!result.outcome) {
      file.state = "failed";
      file.why = result.outcome.error().message;
      continue;
    }
    const engine::FileOutcome& outcome = *result.outcome;
    file.signature.emplace();
    file.signature->signer = outcome.signer;
    file.signature->timestamp_by = outcome.timestamp_source;
    file.signature->reused = outcome.reused;
    switch (outcome.state) {
      case engine::FileState::done:
        file.state = "signed";
        break;
      case engine::FileState::skipped:
        file.state = "skipped";
        file.why = outcome.reason;
        // Where the signed file is: the input, or what was written before.
        outputs_[place->second] = outcome.path;
        break;
      case engine::FileState::refused:
        file.state = "failed";
        file.signature.reset();
        file.why = "the gate refused it: " + finding_text(outcome.verdict.objections().front());
        break;
    }
  }
  for (const engine::SignerTally& tally : summary.signers) {
    for (audit::FileRecord& file : manifest_.files) {
      if (file.signature && file.signature->signer == tally.name) {
        file.signature->provider = tally.provider;
      }
    }
  }
}

Result<void> Ledger::record_files(const engine::Gate& gate, TimePoint now) {
  std::vector<std::optional<Error>> failures(manifest_.files.size());
  std::atomic<bool> rehearsal{false};
  for_each_index(manifest_.files.size(), [&](std::size_t i) {
    audit::FileRecord& file = manifest_.files[i];
    if (!ended_well(file)) {
      return;
    }
    auto judged = judge(outputs_[i], gate, now);
    if (!judged) {
      failures[i] = judged.error();
      return;
    }
    const audit::SignatureRecord seen = signature_of(judged->outcome.report);
    file.signature->certificate = seen.certificate;
    file.signature->certificate_sha256 = seen.certificate_sha256;
    file.signature->digest = seen.digest;
    file.signature->timestamp = seen.timestamp;
    file.format = judged->outcome.report.format;
    file.after = std::move(judged->digests);
    if (judged->outcome.verdict.rehearsal) {
      rehearsal = true;
    }
  });
  manifest_.run.rehearsal = rehearsal;
  std::optional<Error> first;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) {
      continue;
    }
    manifest_.files[i].state = "failed";
    manifest_.files[i].why = failures[i]->message;
    manifest_.files[i].signature.reset();
    if (!first) {
      first = std::move(failures[i]);
    }
  }
  return first ? Result<void>(std::move(*first)) : ok();
}

Result<void> Ledger::end(const engine::RunSummary& summary,
                         const engine::Gate& gate,
                         TimePoint now) {
  if (!is_wanted()) {
    return ok();
  }
  record_ends(summary);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    SIGNCTL_TRY(manifest_.files[i].path, recorded_path(outputs_[i]), "");
    if (manifest_.shard) {
      manifest_.shard->whole[places_[i]].path = manifest_.files[i].path;
    }
  }
  const auto recorded = record_files(gate, now);
  manifest_.run.exit_code = recorded ? summary.exit_code() : exit_code(recorded.error().kind);
  manifest_.run.ended = to_iso8601(now);
  SIGNCTL_CHECK(write(), "");
  SIGNCTL_CHECK(log_end(), "");
  return recorded;
}

Result<void> Ledger::write() const {
  if (paths_.manifest.empty()) {
    return ok();
  }
  const std::string text = audit::to_text(manifest_);
  SIGNCTL_CHECK(write_file(paths_.manifest, as_bytes(text), Existing::replace),
                "writing the manifest " + printable(paths_.manifest));
  return ok();
}

}  // namespace signctl::cli
