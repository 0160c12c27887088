// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger.hpp"

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

namespace signctl::cli {

namespace {

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

bool ended_well(const audit::FileRecord& file) {
  return file.state == "signed" || file.state == "skipped";
}

}  // namespace

Result<Ledger> Ledger::begin(std::string path,
                             const config::Config& config,
                             const std::vector<engine::FileTask>& tasks,
                             TimePoint now) {
  constexpr std::size_t kIdBytes = 16;
  Ledger ledger;
  ledger.path_ = std::move(path);
  if (ledger.path_.empty()) {
    return ledger;
  }
  audit::RunRecord& run = ledger.manifest_.run;
  run.id = to_hex(crypto::random_bytes(kIdBytes));
  run.version = SIGNCTL_VERSION;
  run.started = to_iso8601(now);
  run.exit_code = exit_code(ErrorKind::interrupted);
  run.config = config.file;
  if (!config.file.empty()) {
    SIGNCTL_TRY(const Bytes text, read_file(config.file, kLargestConfig), "");
    run.config_sha256 = to_hex(crypto::hash(DigestAlg::sha256, text));
  }
  for (const engine::FileTask& task : tasks) {
    audit::FileRecord file;
    SIGNCTL_TRY(file.path, audit::path_in_manifest(task.output, ledger.path_), "");
    file.state = "not-started";
    file.step = task.step;
    ledger.manifest_.files.push_back(std::move(file));
    ledger.inputs_.push_back(task.input);
    ledger.outputs_.push_back(task.output);
  }
  std::vector<Result<audit::FileDigests>> before(tasks.size(), audit::FileDigests{});
  for_each_index(tasks.size(),
                 [&](std::size_t i) { before[i] = audit::digest_file(tasks[i].input); });
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    // What cannot be read is the run's to report.
    if (before[i]) {
      ledger.manifest_.files[i].before = std::move(*before[i]);
    }
  }
  SIGNCTL_CHECK(ledger.write(), "");
  return ledger;
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
        outputs_[place->second] = inputs_[place->second];
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
  if (path_.empty()) {
    return ok();
  }
  record_ends(summary);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    SIGNCTL_TRY(manifest_.files[i].path, audit::path_in_manifest(outputs_[i], path_), "");
  }
  const auto recorded = record_files(gate, now);
  manifest_.run.exit_code = recorded ? summary.exit_code() : exit_code(recorded.error().kind);
  manifest_.run.ended = to_iso8601(now);
  SIGNCTL_CHECK(write(), "");
  return recorded;
}

Result<void> Ledger::write() const {
  const std::string text = audit::to_text(manifest_);
  SIGNCTL_CHECK(write_file(path_, as_bytes(text), Existing::replace),
                "writing the manifest " + printable(path_));
  return ok();
}

}  // namespace signctl::cli
