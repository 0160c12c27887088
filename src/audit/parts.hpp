// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/manifest.hpp"

#include <signctl/result.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

// Which part of a release a run did. Its manifest, report and log say it alike, so that `merge` can
// tell what belongs together and what is missing.
namespace signctl::audit {

/// What a run with `--shard` says of itself; of `run` version, config and build.
struct Part {
  std::string name;  ///< The file that says so, for messages.
  RunRecord run;
  std::optional<ShardRecord> shard;
};

/// Adds the members `run` and `shard` to a report; nothing without a shard.
void put_part(nlohmann::ordered_json& json, const Part& part);

/// `shard`, without the files of the plan.
[[nodiscard]] nlohmann::ordered_json shard_json(const ShardRecord& shard);

/// Reads `run` and `shard`; what is not there stays empty.
[[nodiscard]] Part read_part(std::string name,
                             const nlohmann::ordered_json& run,
                             const nlohmann::ordered_json& shard);

/// The shards of one plan.
struct PartSet {
  ShardRecord plan;
  std::string started;  ///< The first start.
  std::map<std::size_t, std::vector<std::size_t>>
      parts;  ///< By shard: positions in what was given.
};

/// Divides parts by plan; the plan of the run that started first is the first. Several plans are
/// one release when each has steps of its own.
///
/// @errors `input` when one is no shard's, or they are of different plans, versions, configs or
///         builds.
Result<std::vector<PartSet>> divide_parts(const std::vector<Part>& parts);

/// Fails when a shard stands there twice.
///
/// @param what  "manifest", for the hint.
/// @errors `input`.
Result<void> check_each_once(const std::vector<PartSet>& sets,
                             const std::vector<Part>& parts,
                             std::string_view what);

/// "shard 2 of 3", of a plan whose steps have names with them.
[[nodiscard]] std::string shard_name(const ShardRecord& plan, std::size_t index);

/// What `given` lacks of the shards that `release` has: "the report of shard 2 of 3 is not there".
[[nodiscard]] std::vector<std::string> absent_parts(const std::vector<PartSet>& release,
                                                    const std::vector<Part>& given,
                                                    std::string_view what);

}  // namespace signctl::audit
