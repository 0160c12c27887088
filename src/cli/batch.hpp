// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/parts.hpp"
#include "cli/common_options.hpp"
#include "cli/context.hpp"
#include "engine/run.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::cli {

/// The words of a batch: `sign` files are `signed`.
struct BatchWords {
  std::string_view verb;
  std::string_view done;
};

enum class AfterFailure { stop, go_on };

/// What to do to which files.
struct Batch {
  std::vector<std::string> paths;
  AfterFailure after_failure{AfterFailure::stop};
  int jobs{1};
  /// Does the work on paths[index]; from several threads at once when there are several jobs.
  std::function<Result<engine::FileOutcome>(std::size_t index)> work;
  /// Called in plan order, from one thread at a time.
  std::function<void(const engine::FileResult&)> on_file;
};

/// Does the work on every file.
engine::RunSummary run_batch(const Batch& batch);

/// Reports one file that was to be changed: a line when it was, the error or the gate's objections
/// when not. `note` goes behind the path of a file that is done.
void print_file(Context& context,
                const BatchWords& words,
                const engine::FileResult& result,
                const std::string& note);

/// Writes the report that is asked for, prints the last line, or the document with --json, and
/// returns the exit code.
///
/// @param part  For the report and the document, of a run with a shard.
int finish_batch(Context& context,
                 const BatchWords& words,
                 const engine::RunSummary& summary,
                 const ReportFlags& report = {},
                 const audit::Part& part = {});

}  // namespace signctl::cli
