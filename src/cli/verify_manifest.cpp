// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_manifest.hpp"

#include "audit/manifest.hpp"
#include "audit/manifest_check.hpp"
#include "audit/own_record.hpp"
#include "cli/files.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace signctl::cli {

namespace {

namespace fs = std::filesystem;

/// One thing to look at; with neither record nor finding it would be a file like any other.
struct Item {
  const audit::FileRecord* record{};
  std::optional<Finding> finding{};  ///< What is wrong whatever the file holds.
};

/// What the work on a manifest's files shares.
struct Inspection {
  audit::Manifest manifest;
  std::vector<std::string> paths;
  std::vector<Item> items;
  const engine::Gate& gate;
  TimePoint now;

  void add(std::string path, Item item) {
    paths.push_back(std::move(path));
    items.push_back(std::move(item));
  }
};

engine::FileOutcome refused(const std::string& path, Finding finding, TimePoint now) {
  engine::FileOutcome outcome;
  outcome.path = path;
  outcome.report.path = path;
  outcome.report.judged_at = now;
  outcome.verdict.findings.push_back(std::move(finding));
  return outcome;
}

/// A file that passes without a signature.
engine::FileOutcome unsigned_outcome(const std::string& path, TimePoint now) {
  engine::FileOutcome outcome;
  outcome.path = path;
  outcome.report.path = path;
  outcome.report.judged_at = now;
  outcome.state = engine::FileState::done;
  outcome.verdict.passed = true;
  return outcome;
}

/// The gate's word on a file, with what is wrong about it beside.
engine::FileOutcome judged_with(const Inspection& all, const std::string& path, Finding finding) {
  auto outcome = engine::verify_file(path, all.gate, all.now);
  if (!outcome) {
    return refused(path, std::move(finding), all.now);
  }
  outcome->state = engine::FileState::refused;
  outcome->verdict.passed = false;
  outcome->verdict.findings.insert(outcome->verdict.findings.begin(), std::move(finding));
  return std::move(*outcome);
}

Result<engine::FileOutcome> inspect_recorded(const Inspection& all,
                                             const std::string& path,
                                             const audit::FileRecord& record) {
  std::error_code code;
  if (!record.after || !fs::exists(to_path(path), code)) {
    return refused(path, *audit::check_file(record, std::nullopt), all.now);
  }
  SIGNCTL_TRY(const auto source, FileSource::open(path), "");
  SIGNCTL_TRY(const auto digests, audit::digest_source(*source), "reading " + path);
  if (auto finding = audit::check_file(record, digests)) {
    if (record.state == "sealed") {
      return refused(path, std::move(*finding), all.now);
    }
    return judged_with(all, path, std::move(*finding));
  }
  // What was sealed carries no signature: its bytes are all there is to prove.
  engine::FileOutcome outcome = unsigned_outcome(path, all.now);
  if (record.state != "sealed") {
    SIGNCTL_TRY(outcome, engine::verify_file(path, all.gate, all.now), "");
  }
  SIGNCTL_TRY(const FileIdentity identity, source->identity_now(), "");
  if (identity != source->identity()) {
    return Error{ErrorKind::input, "the file is being changed by somebody else"};
  }
  return outcome;
}

Result<engine::FileOutcome> inspect(const Inspection& all, std::size_t index) {
  const std::string& path = all.paths[index];
  const Item& item = all.items[index];
  if (item.record != nullptr) {
    return inspect_recorded(all, path, *item.record);
  }
  return judged_with(all, path, *item.finding);
}

Result<std::vector<std::string>> files_beside(const std::vector<std::string>& recorded) {
  std::set<std::string> folders;
  for (const std::string& path : recorded) {
    folders.insert(to_utf8(to_path(path).parent_path()));
  }
  return signable_files_below({folders.begin(), folders.end()});
}

/// Real names of what may lie beside the files that were signed.
std::set<std::string> names_passed_over(const Inspection& all,
                                        const std::string& manifest_path,
                                        const ReleasedFiles& released) {
  std::set<std::string> names{real_name(to_path(manifest_path))};
  for (const std::string& path : released.passed_over) {
    if (!path.empty()) {
      names.insert(real_name(to_path(path)));
    }
  }
  if (all.manifest.shard) {
    // What other shards sign is theirs to prove.
    for (const audit::PlannedPlace& place : all.manifest.shard->whole) {
      names.insert(real_name(to_path(audit::path_from_manifest(place.path, manifest_path))));
    }
  }
  return names;
}

}  // namespace

Result<Batch> manifest_batch(const std::string& manifest_path,
                             const ReleasedFiles& released,
                             const engine::Gate& gate,
                             TimePoint now) {
  SIGNCTL_TRY(auto manifest, audit::read_manifest(manifest_path), "");
  const auto all = std::make_shared<Inspection>(Inspection{std::move(manifest), {}, {}, gate, now});
  if (auto finding = audit::check_run(all->manifest)) {
    all->add(manifest_path, {nullptr, std::move(finding)});
  }
  std::set<std::string> known;
  std::vector<std::string> recorded;
  for (const audit::FileRecord& file : all->manifest.files) {
    std::string path = audit::path_from_manifest(file.path, manifest_path);
    known.insert(real_name(to_path(path)));
    recorded.push_back(path);
    all->add(std::move(path), {&file, std::nullopt});
  }
  known.merge(names_passed_over(*all, manifest_path, released));
  std::vector<std::string> files;
  if (released.named) {
    files = *released.named;
  } else {
    SIGNCTL_TRY(files, files_beside(recorded), "");
  }
  for (const std::string& path : files) {
    if (!known.contains(real_name(to_path(path))) && !audit::is_own_record(path, all->manifest)) {
      all->add(path, {nullptr, audit::added_file()});
    }
  }
  Batch batch;
  batch.paths = all->paths;
  batch.work = [all](std::size_t index) { return inspect(*all, index); };
  return batch;
}

}  // namespace signctl::cli
