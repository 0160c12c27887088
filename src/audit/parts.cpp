// SPDX-License-Identifier: Apache-2.0
#include "audit/parts.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>()
                                                                       : "";
}

std::size_t number_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_number_unsigned()
             ? found->get<std::size_t>()
             : 0;
}

Error different(const Part& one, const Part& other, const std::string& what) {
  return {
      ErrorKind::input,
      printable(one.name) + " and " + printable(other.name) + " are not of one release: " + what,
      "run all shards from the same commit, with the same files, config and signctl"};
}

Result<void> check_same_release(const Part& one, const Part& other) {
  if (one.run.version != other.run.version) {
    return different(one, other, "two versions of signctl");
  }
  if (one.run.config_sha256 != other.run.config_sha256) {
    return different(one, other, "two configs");
  }
  if (one.run.build_sha256 != other.run.build_sha256) {
    return different(one,
                     other,
                     "two builds, of " + printable(one.run.started) + " and " +
                         printable(other.run.started) +
                         "; one may be left over from an earlier run");
  }
  return ok();
}

/// The files and their shards; a report or a log does not say them.
bool has_same_places(const ShardRecord& one, const ShardRecord& two) {
  const auto same_shard = [](const PlannedPlace& a, const PlannedPlace& b) {
    return a.shard == b.shard;
  };
  return one.whole.empty() || two.whole.empty() ||
         std::equal(
             one.whole.begin(), one.whole.end(), two.whole.begin(), two.whole.end(), same_shard);
}

bool share_a_step(const ShardRecord& one, const ShardRecord& two) {
  return one.steps.empty() || two.steps.empty() ||
         std::ranges::any_of(one.steps, [&](const std::string& step) {
           return std::ranges::find(two.steps, step) != two.steps.end();
         });
}

/// Whether both are of one plan.
Result<bool> is_same_plan(const Part& first, const Part& other) {
  const ShardRecord& one = *first.shard;
  const ShardRecord& two = *other.shard;
  const bool same = one.plan_sha256 == two.plan_sha256;
  if (!same && !share_a_step(one, two)) {
    return false;
  }
  if (one.count != two.count) {
    return different(
        first,
        other,
        std::to_string(one.count) + " shards there, " + std::to_string(two.count) + " here");
  }
  if (!same || !has_same_places(one, two)) {
    return different(
        first,
        other,
        "they planned different files, or files of different sizes; shards that write in "
        "place need each their own copy of the inputs");
  }
  return true;
}

Result<void> check_is_shard(const Part& part) {
  if (part.shard) {
    return ok();
  }
  return Error{ErrorKind::input,
               printable(part.name) +
                   " is of a whole run, not of a shard, or of a run that ended "
                   "before it knew its files",
               "merge what sign --shard I/N wrote; run a shard that failed again"};
}

}  // namespace

Json shard_json(const ShardRecord& shard) {
  Json json;
  json["index"] = shard.index;
  json["count"] = shard.count;
  json["plan_sha256"] = shard.plan_sha256;
  json["steps"] = shard.steps;
  return json;
}

void put_part(Json& json, const Part& part) {
  if (part.shard) {
    json["run"] = {{"version", part.run.version},
                   {"started", part.run.started},
                   {"config_sha256", part.run.config_sha256},
                   {"build_sha256", part.run.build_sha256}};
    json["shard"] = shard_json(*part.shard);
  }
}

Part read_part(std::string name, const Json& run, const Json& shard) {
  Part part;
  part.name = std::move(name);
  part.run.version = text_of(run, "version");
  part.run.started = text_of(run, "started");
  part.run.config_sha256 = text_of(run, "config_sha256");
  part.run.build_sha256 = text_of(run, "build_sha256");
  ShardRecord record{
      number_of(shard, "index"), number_of(shard, "count"), text_of(shard, "plan_sha256"), {}, {}};
  if (record.index == 0 || record.index > record.count || record.plan_sha256.empty()) {
    return part;
  }
  for (const Json& step : shard.value("steps", Json::array())) {
    record.steps.push_back(step.is_string() ? step.get<std::string>() : "");
  }
  part.shard = std::move(record);
  return part;
}

Result<std::vector<PartSet>> divide_parts(const std::vector<Part>& parts) {
  std::vector<PartSet> sets;
  std::vector<const Part*> firsts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    SIGNCTL_CHECK(check_is_shard(part), "");
    std::size_t place = sets.size();
    for (std::size_t k = 0; k < sets.size(); ++k) {
      SIGNCTL_TRY(const bool same, is_same_plan(*firsts[k], part), "");
      place = same ? k : place;
    }
    SIGNCTL_CHECK(check_same_release(parts.front(), part), "");
    if (place == sets.size()) {
      sets.push_back({*part.shard, part.run.started, {}});
      firsts.push_back(&part);
    }
    sets[place].started = std::min(sets[place].started, part.run.started);
    sets[place].parts[part.shard->index].push_back(i);
  }
  std::ranges::stable_sort(sets, {}, &PartSet::started);
  return sets;
}

Result<void> check_each_once(const std::vector<PartSet>& sets,
                             const std::vector<Part>& parts,
                             std::string_view what) {
  for (const PartSet& set : sets) {
    for (const auto& [index, places] : set.parts) {
      if (places.size() > 1) {
        return Error{ErrorKind::input,
                     printable(parts[places[0]].name) + " and " + printable(parts[places[1]].name) +
                         " are both " + shard_name(set.plan, index),
                     "of a job that was repeated, give the last " + std::string(what) + " only"};
      }
    }
  }
  return ok();
}

std::string shard_name(const ShardRecord& plan, std::size_t index) {
  std::vector<std::string> named;
  std::ranges::copy_if(
      plan.steps, std::back_inserter(named), [](const std::string& step) { return !step.empty(); });
  return "shard " + std::to_string(index) + " of " + std::to_string(plan.count) +
         (named.empty() ? "" : " (" + printable(join(named, ", ")) + ")");
}

std::vector<std::string> absent_parts(const std::vector<PartSet>& release,
                                      const std::vector<Part>& given,
                                      std::string_view what) {
  std::vector<std::string> absent;
  for (const PartSet& set : release) {
    for (std::size_t index = 1; index <= set.plan.count; ++index) {
      const bool there = std::ranges::any_of(given, [&](const Part& part) {
        return part.shard->plan_sha256 == set.plan.plan_sha256 && part.shard->index == index;
      });
      if (!there) {
        absent.push_back("the " + std::string(what) + " of " + shard_name(set.plan, index) +
                         " is not there");
      }
    }
  }
  return absent;
}

}  // namespace signctl::audit
