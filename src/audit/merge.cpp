// SPDX-License-Identifier: Apache-2.0
#include "audit/merge.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;

Error different(const ShardManifest& one, const ShardManifest& other, const std::string& what) {
  return {
      ErrorKind::input,
      printable(one.path) + " and " + printable(other.path) + " are not of one release: " + what,
      "run all shards from the same commit, with the same files, config and signctl"};
}

Result<void> check_alike(const ShardManifest& first, const ShardManifest& other) {
  const ShardRecord& one = *first.manifest.shard;
  const ShardRecord& two = *other.manifest.shard;
  if (one.count != two.count) {
    return different(
        first,
        other,
        std::to_string(one.count) + " shards there, " + std::to_string(two.count) + " here");
  }
  const auto same_place = [](const PlannedPlace& a, const PlannedPlace& b) {
    return a.shard == b.shard;
  };
  if (one.plan_sha256 != two.plan_sha256 ||
      !std::equal(
          one.whole.begin(), one.whole.end(), two.whole.begin(), two.whole.end(), same_place)) {
    return different(
        first,
        other,
        "they planned different files, or files of different sizes; shards that write in "
        "place need each their own copy of the inputs");
  }
  if (first.manifest.run.version != other.manifest.run.version) {
    return different(first, other, "two versions of signctl");
  }
  if (first.manifest.run.config_sha256 != other.manifest.run.config_sha256) {
    return different(first, other, "two configs");
  }
  if (first.manifest.run.build_sha256 != other.manifest.run.build_sha256) {
    return different(first,
                     other,
                     "two builds, of " + printable(first.manifest.run.started) + " and " +
                         printable(other.manifest.run.started) +
                         "; one may be left over from an earlier run");
  }
  return {};
}

/// By shard, each once.
Result<std::map<std::size_t, const ShardManifest*>> by_index(
    const std::vector<ShardManifest>& shards) {
  std::map<std::size_t, const ShardManifest*> sorted;
  for (const ShardManifest& one : shards) {
    if (!one.manifest.shard && one.manifest.files.empty() && one.manifest.run.exit_code != 0) {
      return Error{ErrorKind::input,
                   printable(one.path) + " is of a run that ended with exit code " +
                       std::to_string(one.manifest.run.exit_code) + " before it knew its files",
                   "run that shard again"};
    }
    if (!one.manifest.shard) {
      return Error{ErrorKind::input,
                   printable(one.path) + " is the manifest of a whole run, not of a shard",
                   "merge what sign --shard I/N --manifest FILE wrote"};
    }
    SIGNCTL_CHECK(check_alike(shards.front(), one), "");
    const auto [place, fresh] = sorted.emplace(one.manifest.shard->index, &one);
    if (!fresh) {
      return Error{ErrorKind::input,
                   printable(place->second->path) + " and " + printable(one.path) +
                       " are both shard " + std::to_string(place->first) + " of " +
                       std::to_string(one.manifest.shard->count),
                   "of a job that was repeated, give the last manifest only"};
    }
  }
  return sorted;
}

/// Joins the runs: from the first start to the last end, with the first failure.
RunRecord join_runs(const std::map<std::size_t, const ShardManifest*>& shards, std::size_t count) {
  constexpr std::size_t kIdBytes = 16;
  RunRecord run = shards.begin()->second->manifest.run;
  run.id = to_hex(crypto::random_bytes(kIdBytes));
  run.exit_code = shards.size() == count ? 0 : exit_code(ErrorKind::gate);
  for (const auto& [index, shard] : shards) {
    const RunRecord& part = shard->manifest.run;
    run.started = std::min(run.started, part.started);
    run.ended = part.ended.empty() || run.ended.empty() ? "" : std::max(run.ended, part.ended);
    run.exit_code = run.exit_code == 0 ? part.exit_code : run.exit_code;
    run.rehearsal = run.rehearsal || part.rehearsal;
  }
  return run;
}

}  // namespace

Result<Merged> merge_manifests(const std::vector<ShardManifest>& shards,
                               const std::string& output_path) {
  if (shards.empty()) {
    return Error{ErrorKind::input, "there is no manifest to merge"};
  }
  SIGNCTL_TRY(const auto sorted, by_index(shards), "");
  const ShardManifest& first = *sorted.begin()->second;
  const ShardRecord& plan = *first.manifest.shard;
  Merged merged;
  merged.manifest.run = join_runs(sorted, plan.count);
  std::map<std::size_t, std::size_t> next;
  std::map<std::string, std::string> taken;
  for (const PlannedPlace& place : plan.whole) {
    const std::size_t index = place.shard;
    const auto shard = sorted.find(index);
    const ShardManifest& source = shard == sorted.end() ? first : *shard->second;
    FileRecord file;
    if (shard == sorted.end()) {
      file.path = place.path;
      file.state = "not-started";
      file.why = "the manifest of shard " + std::to_string(index) + " is not there";
    } else {
      file = source.manifest.files[next[index]++];
    }
    const std::string recorded = file.path;
    SIGNCTL_TRY(
        file.path, path_in_manifest(path_from_manifest(recorded, source.path), output_path), "");
    if (const auto [other, fresh] = taken.emplace(file.path, recorded); !fresh) {
      return Error{ErrorKind::input,
                   "two shards have a file at " + printable(file.path),
                   "give each shard's files a folder of its own, with its manifest in it"};
    }
    if (!is_good_state(file.state)) {
      merged.missing.push_back(printable(file.path) + " (shard " + std::to_string(index) +
                               "): " + (file.why.empty() ? file.state : printable(file.why)));
    }
    merged.manifest.files.push_back(std::move(file));
  }
  for (std::size_t index = 1; index <= plan.count; ++index) {
    const auto shard = sorted.find(index);
    if (shard == sorted.end()) {
      merged.missing.push_back("shard " + std::to_string(index) + " of " +
                               std::to_string(plan.count) + " is not there");
      continue;
    }
    const Manifest& one = shard->second->manifest;
    merged.manifest.parts.push_back(one.run);
    merged.manifest.left_out.insert(
        merged.manifest.left_out.end(), one.left_out.begin(), one.left_out.end());
    if (one.run.exit_code != 0) {
      merged.missing.push_back("shard " + std::to_string(index) + " ended with exit code " +
                               std::to_string(one.run.exit_code));
    }
  }
  return merged;
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
