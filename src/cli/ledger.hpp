// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/log.hpp"
#include "audit/manifest.hpp"
#include "audit/parts.hpp"
#include "cli/context.hpp"
#include "cli/shard.hpp"
#include "config/config.hpp"
#include "engine/run.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::cli {

/// Where a run is written down; empty for nowhere.
struct LedgerPaths {
  std::string manifest;  ///< `--manifest`, `audit.manifest`
  std::string log;       ///< `--audit`, `audit.log`
};

/// What a run is about to do. Borrowed.
struct RunPlan {
  const config::Config& config;
  const std::vector<engine::FileTask>& tasks;
  const std::optional<Share>& share;
};

/// Which part of which release a run does.
///
/// @errors those of reading the config.
Result<audit::Part> part_of(const RunPlan& plan, Context& context);

/// Writes down what a run makes: in the audit log as it happens, and in the manifest.
///
/// The manifest is there from the beginning of the run on and says until the end that the run is
/// incomplete, so that no older manifest speaks for a run that was killed.
class Ledger {
 public:
  /// Hashes the files that the run is about to change, and says that it begins. Does nothing
  /// without a path.
  ///
  /// @errors `output` when log or manifest cannot be written.
  static Result<Ledger> begin(LedgerPaths paths, const RunPlan& plan, Context& context);

  /// Writes down a run that ended before its first file: a manifest that is incomplete, a run in
  /// the log without files. Does nothing without a path.
  ///
  /// @errors as begin().
  static Result<void> record_failure(LedgerPaths paths,
                                     const RunPlan& plan,
                                     const Error& failure,
                                     Context& context);

  /// One file has come to its end. Called from one thread at a time.
  void note(const engine::FileResult& result, TimePoint now);

  /// Hashes what there is now, has the gate judge it again, and writes the manifest.
  ///
  /// @errors `gate` when a file that was signed is not as the gate has seen it; `output`, also when
  ///         note() could not write.
  Result<void> end(const engine::RunSummary& summary, const engine::Gate& gate, TimePoint now);

 private:
  [[nodiscard]] bool is_wanted() const { return !paths_.manifest.empty() || log_.has_value(); }
  static Result<Ledger> open(LedgerPaths paths, const RunPlan& plan, Context& context);
  void hash_inputs();
  Result<void> write() const;
  Result<void> record_share(const Share& share);
  Result<void> log_begin(const config::Config& config, Context& context);
  Result<void> log_end(const Error* failure = nullptr);
  [[nodiscard]] Result<std::string> recorded_path(const std::string& path) const;
  void record_ends(const engine::RunSummary& summary);
  Result<void> record_files(const engine::Gate& gate, TimePoint now);

  LedgerPaths paths_;
  std::optional<audit::Log> log_;
  std::optional<Error> log_failure_;  ///< The first.
  std::vector<std::string> inputs_;   ///< Of files_, in order.
  std::vector<std::string> outputs_;  ///< Of files_, in order.
  std::vector<std::size_t> places_;   ///< Of files_ in the whole plan, in order; only with a share.
  audit::Manifest manifest_;
};

}  // namespace signctl::cli
