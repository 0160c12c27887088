// SPDX-License-Identifier: Apache-2.0
#include "audit/merge.hpp"

#include "audit/parts.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;

std::vector<Part> parts_of(const std::vector<ShardManifest>& shards) {
  std::vector<Part> parts;
  for (const ShardManifest& one : shards) {
    parts.push_back({one.path, one.manifest.run, one.manifest.shard});
  }
  return parts;
}

/// Joins the runs: from the first start to the last end, with the first failure.
RunRecord join_runs(const std::vector<RunRecord>& parts, bool all_there) {
  constexpr std::size_t kIdBytes = 16;
  RunRecord run = parts.front();
  run.id = to_hex(crypto::random_bytes(kIdBytes));
  run.exit_code = all_there ? 0 : exit_code(ErrorKind::gate);
  for (const RunRecord& part : parts) {
    run.started = std::min(run.started, part.started);
    run.ended = part.ended.empty() || run.ended.empty() ? "" : std::max(run.ended, part.ended);
    run.exit_code = run.exit_code == 0 ? part.exit_code : run.exit_code;
    run.rehearsal = run.rehearsal || part.rehearsal;
  }
  return run;
}

/// Joins the shards of plan after plan.
class Joining {
 public:
  Joining(const std::vector<ShardManifest>& shards, const std::string& output_path)
      : shards_(shards), output_path_(output_path) {}

  Result<void> add(const PartSet& set) {
    SIGNCTL_CHECK(add_files(set), "");
    for (std::size_t index = 1; index <= set.plan.count; ++index) {
      add_run(set, index);
    }
    return ok();
  }

  [[nodiscard]] Merged finish() {
    merged_.manifest.run = join_runs(merged_.manifest.parts, all_there_);
    return std::move(merged_);
  }

 private:
  [[nodiscard]] const ShardManifest* shard_of(const PartSet& set, std::size_t index) const {
    const auto found = set.parts.find(index);
    return found == set.parts.end() ? nullptr : &shards_[found->second.front()];
  }

  Result<void> add_files(const PartSet& set) {
    const ShardManifest& any = shards_[set.parts.begin()->second.front()];
    std::map<std::size_t, std::size_t> next;
    for (const PlannedPlace& place : any.manifest.shard->whole) {
      const ShardManifest* shard = shard_of(set, place.shard);
      FileRecord file;
      if (shard == nullptr) {
        file.path = place.path;
        file.state = "not-started";
        file.why = "the manifest of " + shard_name(set.plan, place.shard) + " is not there";
      } else {
        file = shard->manifest.files[next[place.shard]++];
      }
      SIGNCTL_CHECK(add_file(std::move(file), (shard == nullptr ? any : *shard).path, place.shard),
                    "");
    }
    return ok();
  }

  Result<void> add_file(FileRecord file, const std::string& from, std::size_t index) {
    const std::string recorded = file.path;
    SIGNCTL_TRY(file.path, path_in_manifest(path_from_manifest(recorded, from), output_path_), "");
    if (!taken_.insert(file.path).second) {
      return Error{ErrorKind::input,
                   "two shards have a file at " + printable(file.path),
                   "give each shard's files a folder of its own, with its manifest in it"};
    }
    if (!is_good_state(file.state)) {
      merged_.missing.push_back(printable(file.path) + " (shard " + std::to_string(index) +
                                "): " + (file.why.empty() ? file.state : printable(file.why)));
    }
    merged_.manifest.files.push_back(std::move(file));
    return ok();
  }

  void add_run(const PartSet& set, std::size_t index) {
    const ShardManifest* shard = shard_of(set, index);
    if (shard == nullptr) {
      all_there_ = false;
      return;
    }
    const Manifest& one = shard->manifest;
    merged_.manifest.parts.push_back(one.run);
    merged_.manifest.left_out.insert(
        merged_.manifest.left_out.end(), one.left_out.begin(), one.left_out.end());
    if (one.run.exit_code != 0) {
      merged_.missing.push_back(shard_name(set.plan, index) + " ended with exit code " +
                                std::to_string(one.run.exit_code));
    }
  }

  const std::vector<ShardManifest>& shards_;
  const std::string& output_path_;
  Merged merged_;
  std::set<std::string> taken_;
  bool all_there_{true};
};

}  // namespace

Result<Merged> merge_manifests(const std::vector<ShardManifest>& shards,
                               const std::string& output_path) {
  if (shards.empty()) {
    return Error{ErrorKind::input, "there is no manifest to merge"};
  }
  const std::vector<Part> parts = parts_of(shards);
  SIGNCTL_TRY(const auto sets, divide_parts(parts), "");
  SIGNCTL_CHECK(check_each_once(sets, parts, "manifest"), "");
  Joining joining(shards, output_path);
  for (const PartSet& set : sets) {
    SIGNCTL_CHECK(joining.add(set), "");
  }
  return joining.finish();
}

Result<LogCheck> check_intact(const std::string& name, std::string_view text) {
  LogCheck check = check_log(text, "");
  if (!check.defects.empty() || check.records == 0) {
    return Error{ErrorKind::input,
                 "the audit log " + printable(name) + " is not intact: " +
                     (check.defects.empty() ? std::string("it has no record")
                                            : "line " + std::to_string(check.defects.front().line) +
                                                  ": " + check.defects.front().what),
                 "signctl audit verify shows what is wrong with it"};
  }
  return check;
}

Result<void> append_log(Log& log, const std::string& name, std::string_view text) {
  SIGNCTL_TRY(const LogCheck check, check_intact(name, text), "");
  Json merged;
  merged["event"] = "log-merged";
  merged["path"] = name;
  merged["records"] = check.records;
  merged["torn_lines"] = check.torn;
  merged["head"] = check.head;
  SIGNCTL_CHECK(log.append(merged), "");
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    Json record = Json::parse(line, nullptr, false);
    if (!record.is_object()) {
      continue;
    }
    for (const char* ours : {"schema", "prev", "after_torn_line"}) {
      record.erase(ours);
    }
    record["line_sha256"] = hash_of_line(line);
    SIGNCTL_CHECK(log.append(record), "");
  }
  return log.sync();
}

}  // namespace signctl::audit
