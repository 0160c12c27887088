// SPDX-License-Identifier: Apache-2.0
#include "audit/log_runs.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;
using Shards = std::map<std::tuple<std::string, std::size_t, std::size_t>, LogRun>;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_same_release(const RunRecord& one, const RunRecord& two) {
  return one.version == two.version && one.config_sha256 == two.config_sha256 &&
         one.build_sha256 == two.build_sha256;
}

/// Keeps the later run of a shard; of two that began in the same second, the one that ended.
void keep_last(LogRun run, Shards& shards) {
  const ShardRecord& shard = *run.part.shard;
  auto& last = shards[{shard.plan_sha256, shard.count, shard.index}];
  const auto rank = [](const LogRun& one) { return std::tie(one.part.run.started, one.ended); };
  if (rank(last) <= rank(run)) {
    last = std::move(run);
  }
}

void keep_release(const std::vector<LogRun>& runs, const RunRecord& release, Shards& shards) {
  for (const LogRun& run : runs) {
    if (run.part.shard && is_same_release(run.part.run, release)) {
      keep_last(run, shards);
    }
  }
}

}  // namespace

std::vector<LogRun> runs_of(const std::string& name, std::string_view log) {
  std::vector<LogRun> runs;
  while (!log.empty()) {
    const auto end = std::min(log.find('\n'), log.size());
    const Json record = Json::parse(log.substr(0, end), nullptr, false);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (!record.is_object()) {
      continue;
    }
    const std::string event = text_of(record, "event");
    if (event == "run-started") {
      LogRun run{
          read_part(name, record, record.value("shard", Json())), text_of(record, "run"), false, 0};
      run.part.run.started = text_of(record, "time");
      runs.push_back(std::move(run));
    } else if (event == "run-ended") {
      const auto begun = std::ranges::find(runs, text_of(record, "run"), &LogRun::id);
      const auto code = record.find("exit_code");
      if (begun != runs.end() && code != record.end() && code->is_number_integer()) {
        begun->ended = true;
        begun->exit_code = code->get<int>();
      }
    }
  }
  return runs;
}

Result<std::vector<LogRun>> last_runs(const std::vector<LogText>& logs, const LogText& there) {
  Shards shards;
  for (const LogText& log : logs) {
    const auto runs = runs_of(log.name, log.text);
    if (runs.empty() || !runs.back().part.shard) {
      return Error{ErrorKind::input,
                   "the last run in the audit log " + printable(log.name) +
                       " is no shard's, or ended before it knew its files",
                   "merge what sign --shard I/N --audit FILE wrote"};
    }
    keep_release(runs, runs.back().part.run, shards);
    if (&log == &logs.front()) {
      keep_release(runs_of(there.name, there.text), runs.back().part.run, shards);
    }
  }
  std::vector<LogRun> last;
  for (auto& [key, run] : shards) {
    if (!run.ended) {
      return Error{ErrorKind::input,
                   "in the audit log " + printable(run.part.name) + " the run of " +
                       shard_name(*run.part.shard, run.part.shard->index) +
                       " has no end: it was killed",
                   "run that shard again, and give its log as well"};
    }
    last.push_back(std::move(run));
  }
  return last;
}

}  // namespace signctl::audit
