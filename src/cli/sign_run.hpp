// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "cli/context.hpp"
#include "cli/files.hpp"
#include "cli/settings.hpp"
#include "engine/run.hpp"

#include <signctl/result.hpp>

#include <vector>

namespace signctl::cli {

/// All that a run of `sign` or `rehearse` needs.
struct SignRun {
  std::vector<engine::FileTask> tasks;
  engine::SignOptions options;
  engine::Gate gate;
  engine::StageFactory factory;
  engine::RunOptions run;
};

/// One task for each planned file.
Result<std::vector<engine::FileTask>> make_tasks(const FileSet& files,
                                                 const TargetFlags& target,
                                                 const engine::SignOptions& options);

/// Creates the folders below --output-dir that `tasks` need. The last thing before the work begins,
/// so that a command that is refused leaves nothing behind.
Result<void> make_folders(const TargetFlags& target, const std::vector<engine::FileTask>& tasks);

/// Refuses more signatures than `limit`.
Result<void> check_limit(std::size_t signatures, std::optional<int> limit);

/// `jobs`, if it is a sensible number.
Result<int> checked_jobs(int jobs);

/// How to run: as many jobs at a time as wanted, and as the signer bears when one is given.
Result<engine::RunOptions> run_options(const config::Config& config,
                                       const RunFlags& flags,
                                       const SignerChoice* choice);

/// Signs, reporting each file, and returns the exit code.
Result<int> sign_files(const SignRun& sign, const BatchWords& words, Context& context);

}  // namespace signctl::cli
