// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "cli/common_options.hpp"
#include "cli/context.hpp"
#include "cli/ledger.hpp"
#include "cli/own_files.hpp"
#include "engine/run.hpp"

#include <signctl/error.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

// A run that ends before its first file: what an earlier run wrote must not speak for it.
namespace signctl::cli {

/// Where a run writes what became of it, and what that must not overwrite.
struct Paperwork {
  ReportFlags report;
  LedgerPaths ledger;
  std::vector<std::string> taken;  ///< What is signed or read; empty strings are passed over.
};

/// check_own_files() for all of it.
Result<void> check(const Paperwork& papers);

/// Writes report, job summary, manifest and log of a run that ended with `failure` before its first
/// file. What cannot be written, or would overwrite something else, is a warning: the run has
/// failed anyway.
///
/// @param plan     As far as it was made; empty for verbs that keep no ledger.
/// @param failing  The files that are the reason, if some are.
void write_failed_start(const Paperwork& papers,
                        const BatchWords& words,
                        const std::optional<RunPlan>& plan,
                        const Error& failure,
                        Context& context,
                        std::vector<engine::FileResult> failing = {});

/// Puts a report that says "not ended" in the place of an older one, for a run that is killed.
///
/// @errors `output`.
Result<void> write_begun_report(const ReportFlags& report,
                                const BatchWords& words,
                                std::size_t planned,
                                const audit::Part& part,
                                Context& context);

}  // namespace signctl::cli
