// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/files.hpp"
#include "cli/flags.hpp"
#include "config/config.hpp"
#include "engine/sign_file.hpp"
#include "plan/shard.hpp"

#include <signctl/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace signctl::cli {

/// `--shard`
struct ShardFlags {
  std::string shard;
};
void declare(Flags& flags, ShardFlags& target);

/// Whether `--shard` makes sense, before anything is done.
///
/// @errors `usage`.
Result<void> check(const ShardFlags& flags);

/// The part of a plan that this run does.
struct Share {
  plan::Shard shard;
  std::string plan_sha256;           ///< Hex.
  std::vector<std::string> outputs;  ///< Of the whole plan, in order.
  std::vector<std::size_t> shards;   ///< Of the whole plan, in order.
  std::vector<std::string> steps;    ///< Of the whole plan, each once.
};

/// Takes what other shards do out of `files` and `tasks`; nothing without `--shard`.
///
/// @param tasks  One for each planned file.
/// @errors as check(); `input` when a file cannot be looked at.
Result<std::optional<Share>> take_share(const ShardFlags& flags,
                                        const config::Config& config,
                                        FileSet& files,
                                        std::vector<engine::FileTask>& tasks);

}  // namespace signctl::cli
