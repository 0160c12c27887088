// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/log.hpp"
#include "audit/manifest.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string>
#include <vector>

// The shards of a plan made one again.
namespace signctl::audit {

/// A shard's manifest and where it was read from.
struct ShardManifest {
  std::string path;
  Manifest manifest;
};

/// What became of the plan.
struct Merged {
  Manifest manifest;                 ///< Paths from the folder of `output_path`.
  std::vector<std::string> missing;  ///< Why the plan is not done, a line for each file or shard.
};

/// Joins the manifests of all shards of one plan. Files are in plan order; those of a shard that is
/// not there are "not-started".
///
/// @param output_path  Where the result will be written; need not exist.
/// @errors `input` when something is no shard's manifest, a shard stands there twice, or they are
/// of
///         different plans, versions or configs.
Result<Merged> merge_manifests(const std::vector<ShardManifest>& shards,
                               const std::string& output_path);

/// Checks the chain of a log that is to be joined with others.
///
/// @param name  For messages.
/// @errors `input` when the chain is broken or empty.
Result<LogCheck> check_intact(const std::string& name, std::string_view text);

/// Appends to `log` all records of another one, behind one that says how many they are and what its
/// head is; each keeps the hash of the line it was (`line_sha256`).
///
/// @param name  Of the other log, for its record.
/// @errors as check_intact(); `output`.
Result<void> append_log(Log& log, const std::string& name, std::string_view text);

}  // namespace signctl::audit
