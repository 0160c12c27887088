// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"

#include "cli/errors.hpp"
#include "cli/job_summary.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/reports.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

bool succeeded(const engine::FileResult& result) {
  return result.outcome && result.outcome->state != engine::FileState::refused;
}

/// What the workers of one batch share.
class Run {
 public:
  explicit Run(const Batch& batch) : batch_(batch), results_(batch.paths.size()) {}

  void work() {
    while (!engine::stop_requested() && !stop_) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= batch_.paths.size()) {
        return;
      }
      engine::FileResult result{batch_.paths[index], batch_.work(index)};
      if (!succeeded(result) && batch_.after_failure == AfterFailure::stop) {
        stop_ = true;
      }
      const std::lock_guard lock(mutex_);
      results_[index] = std::move(result);
      report();
    }
  }

  /// Call when all workers have returned.
  engine::RunSummary summary() {
    engine::RunSummary summary;
    summary.planned = batch_.paths.size();
    for (auto& result : results_) {
      if (!result) {
        ++summary.not_started;
        continue;
      }
      if (!succeeded(*result)) {
        ++summary.failed;
      } else if (result->outcome->state == engine::FileState::skipped) {
        ++summary.skipped;
      } else {
        ++summary.done;
      }
      summary.files.push_back(std::move(*result));
    }
    return summary;
  }

 private:
  /// Passes on what has ended, up to the first file that has not: output does not depend on which
  /// thread was faster.
  void report() {
    while (reported_ < results_.size() && results_[reported_]) {
      batch_.on_file(*results_[reported_]);
      ++reported_;
    }
  }

  const Batch& batch_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;  ///< Guards the two below.
  std::vector<std::optional<engine::FileResult>> results_;
  std::size_t reported_{0};
};

/// Who made how many signatures, where that is not one for each file.
std::string signers_line(const engine::RunSummary& summary) {
  const bool plain = summary.signers.size() <= 1 && summary.reused == 0 &&
                     (summary.signers.empty() || summary.signers[0].signatures == summary.done);
  if (plain) {
    return "";
  }
  std::vector<std::string> parts;
  for (const engine::SignerTally& signer : summary.signers) {
    parts.push_back(std::to_string(signer.signatures) + " by " + signer.name + " (" +
                    signer.provider + ")");
  }
  return "signatures made: " + join(parts, ", ") +
         (summary.reused > 0 ? "; " + std::to_string(summary.reused) + " taken over" : "");
}

}  // namespace

engine::RunSummary run_batch(const Batch& batch) {
  Run run(batch);
  const auto wanted = static_cast<std::size_t>(std::max(batch.jobs, 1));
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(wanted, batch.paths.size()); ++i) {
    threads.emplace_back([&run] { run.work(); });
  }
  run.work();
  for (std::thread& thread : threads) {
    thread.join();
  }
  return run.summary();
}

void print_file(Context& context,
                const BatchWords& words,
                const engine::FileResult& result,
                const std::string& note) {
  if (!result.outcome) {
    print_error(context, result.outcome.error());
    annotate(context, result.path, result.outcome.error().message);
    return;
  }
  const engine::FileOutcome& outcome = *result.outcome;
  switch (outcome.state) {
    case engine::FileState::done:
      context.line(context.paint(words.done, Color::green) + " " + printable(outcome.path) +
                   (note.empty() ? "" : " (" + printable(note) + ")"));
      return;
    case engine::FileState::skipped:
      context.line("skipped " + printable(outcome.path) + " (" + printable(outcome.reason) + ")");
      return;
    case engine::FileState::refused:
      print_refusal(context, outcome);
      return;
  }
}

int finish_batch(Context& context,
                 const BatchWords& words,
                 const engine::RunSummary& summary,
                 const ReportFlags& report,
                 const audit::Part& part) {
  if (const std::string signers = signers_line(summary); !signers.empty()) {
    context.line(signers);
  }
  context.line(summary_line(summary, words.done));
  write_job_summary(context, words, summary);
  if (context.json()) {
    Json document = batch_document(words.verb, words.done, summary);
    audit::put_part(document, part);
    print_json(context, document);
  }
  if (auto written = write_report(context, report, words, summary, part); !written) {
    print_error(context, written.error());
    // A run that failed says so first.
    return summary.exit_code() == 0 ? exit_code(written.error().kind) : summary.exit_code();
  }
  return summary.exit_code();
}

}  // namespace signctl::cli
