// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"

#include "cli/errors.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "core/text.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

engine::RunSummary run_batch(const std::vector<std::string>& paths,
                             AfterFailure after_failure,
                             const std::function<Result<engine::FileOutcome>(std::size_t)>& work,
                             const std::function<void(const engine::FileResult&)>& on_file) {
  engine::RunSummary summary;
  summary.planned = paths.size();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool stop = summary.failed > 0 && after_failure == AfterFailure::stop;
    if (stop || engine::stop_requested()) {
      summary.not_started = paths.size() - i;
      break;
    }
    engine::FileResult result{paths[i], work(i)};
    if (!result.outcome || result.outcome->state == engine::FileState::refused) {
      ++summary.failed;
    } else if (result.outcome->state == engine::FileState::skipped) {
      ++summary.skipped;
    } else {
      ++summary.done;
    }
    on_file(result);
    summary.files.push_back(std::move(result));
  }
  return summary;
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

int finish_batch(Context& context, const BatchWords& words, const engine::RunSummary& summary) {
  context.line(summary_line(summary, words.done));
  if (context.json()) {
    print_json(context, batch_document(words.verb, words.done, summary));
  }
  return summary.exit_code();
}

}  // namespace signctl::cli
