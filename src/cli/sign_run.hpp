// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "cli/context.hpp"
#include "cli/files.hpp"
#include "cli/foresight.hpp"
#include "cli/ledger.hpp"
#include "cli/settings.hpp"
#include "engine/run.hpp"

#include <signctl/result.hpp>

#include <cstddef>
#include <vector>

namespace signctl::cli {

/// All that a run of `sign` or `rehearse` needs.
struct SignRun {
  std::vector<engine::FileTask> tasks;
  engine::SignOptions options;
  engine::Gate gate;
  engine::Crew crew;
  engine::RunOptions run;
  ReportFlags report;
  audit::Part part;  ///< For the report.
  Ledger ledger;     ///< Begun; without a path when no manifest is wanted.
};

/// One task for each planned file.
Result<std::vector<engine::FileTask>> make_tasks(const FileSet& files,
                                                 const TargetFlags& target,
                                                 const engine::SignOptions& options);

/// Creates the folders below --output-dir that `tasks` need. The last thing before the work begins,
/// so that a command that is refused leaves nothing behind.
Result<void> make_folders(const TargetFlags& target, const std::vector<engine::FileTask>& tasks);

/// What a run is about to sign. Borrowed.
struct Demand {
  const std::vector<engine::FileTask>& tasks;
  std::size_t inside{};          ///< Signatures that --deep makes inside the files, at most.
  const engine::Stages& stages;  ///< For foresee().
  MissingFolder folder{};
};

/// Refuses more signatures than --max-signatures, the config's limit, and what is left to the first
/// signer or its service makes in a year. Files with the same content count once, and those that
/// would be skipped or fail not at all.
///
/// @param signer  Null where nothing is billed.
Result<void> check_limits(const Demand& demand,
                          const config::Config& config,
                          const RunFlags& flags,
                          const SignerChoice* signer);

/// `jobs`, if it is a sensible number.
Result<int> checked_jobs(int jobs);

/// How to run.
Result<engine::RunOptions> run_options(const config::Config& config, const RunFlags& flags);

/// Signs, reporting each file, and returns the exit code.
Result<int> sign_files(SignRun& sign, const BatchWords& words, Context& context);

}  // namespace signctl::cli
