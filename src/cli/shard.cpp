// SPDX-License-Identifier: Apache-2.0
#include "cli/shard.hpp"

#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "plan/duplicates.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace signctl::cli {

namespace {

namespace fs = std::filesystem;

/// What a file is called wherever the checkout lies: from the config's folder, or the working
/// directory.
std::string key_of(const std::string& path, const std::string& folder) {
  std::error_code code;
  const fs::path base = fs::absolute(to_path(folder.empty() ? "." : folder), code);
  const fs::path relative = fs::absolute(to_path(path), code)
                                .lexically_normal()
                                .lexically_relative(base.lexically_normal());
  const std::u8string text = (relative.empty() ? to_path(path) : relative).generic_u8string();
  return {text.begin(), text.end()};
}

Result<std::vector<plan::Load>> loads_of(const config::Config& config, const FileSet& files) {
  std::vector<std::string> paths;
  std::vector<plan::Load> loads;
  for (const plan::PlannedFile& file : files.plan.files) {
    std::error_code code;
    const auto size = fs::file_size(to_path(file.path), code);
    if (code) {
      return Error{ErrorKind::input,
                   "cannot look at " + printable(file.path) + ": " + code.message()};
    }
    paths.push_back(file.path);
    loads.push_back({key_of(file.path, file.step.empty() ? "" : config.folder), file.step, size});
  }
  const auto same_as = plan::find_duplicates(paths);
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    places.emplace(paths[i], i);
    if (!same_as[i].empty()) {
      loads[i].same_as = places.at(same_as[i]);
    }
  }
  return loads;
}

template <class T>
std::vector<T> only(std::vector<T> all, const std::vector<std::size_t>& shards, std::size_t mine) {
  std::vector<T> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (shards[i] == mine) {
      kept.push_back(std::move(all[i]));
    }
  }
  return kept;
}

}  // namespace

void declare(Flags& flags, ShardFlags& target) {
  flags.group("Run");
  flags.value(
      "--shard",
      target.shard,
      "I/N",
      "Do only the I-th of N shares of the plan, divided by size; signctl merge joins them");
}

Result<void> check(const ShardFlags& flags) {
  if (flags.shard.empty()) {
    return ok();
  }
  SIGNCTL_TRY(const plan::Shard shard, plan::parse_shard(flags.shard), "");
  (void)shard;
  return ok();
}

Result<std::optional<Share>> take_share(const ShardFlags& flags,
                                        const config::Config& config,
                                        FileSet& files,
                                        std::vector<engine::FileTask>& tasks) {
  if (flags.shard.empty()) {
    return std::optional<Share>{};
  }
  Share share;
  SIGNCTL_TRY(share.shard, plan::parse_shard(flags.shard), "");
  SIGNCTL_TRY(const auto loads, loads_of(config, files), "");
  share.shards = plan::divide(loads, share.shard.count);
  share.plan_sha256 =
      to_hex(crypto::hash(DigestAlg::sha256, as_bytes(plan::canonical_text(loads))));
  for (const engine::FileTask& task : tasks) {
    share.outputs.push_back(task.output);
  }
  std::set<std::string> steps;
  for (const plan::Load& load : loads) {
    steps.insert(load.step);
  }
  share.steps.assign(steps.begin(), steps.end());
  const std::size_t planned = tasks.size();
  tasks = only(std::move(tasks), share.shards, share.shard.index);
  files.plan.files = only(std::move(files.plan.files), share.shards, share.shard.index);
  log_verbose("shard " + flags.shard + " has " + std::to_string(tasks.size()) + " of " +
              std::to_string(planned) + " files");
  return std::optional(std::move(share));
}

}  // namespace signctl::cli
