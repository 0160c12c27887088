// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "cli/context.hpp"
#include "engine/run.hpp"

namespace signctl::cli {

/// Adds what became of the files to the job summary of GitHub Actions, which names its file in
/// GITHUB_STEP_SUMMARY. Nothing elsewhere; a failure is a warning, because the work itself is done.
void write_job_summary(Context& context,
                       const BatchWords& words,
                       const engine::RunSummary& summary);

}  // namespace signctl::cli
