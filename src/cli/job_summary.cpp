// SPDX-License-Identifier: Apache-2.0
#include "cli/job_summary.hpp"

#include "cli/render.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <fstream>

namespace signctl::cli {

namespace {

/// The service refuses summaries of more than 1 MiB.
constexpr std::size_t kMaxRows = 500;

/// Text that Markdown shows as it is, on one line of a table.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|&").find(c) != std::string_view::npos) {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string row(const engine::FileResult& result, const BatchWords& words) {
  std::string state = "**failed**";
  std::string why;
  if (!result.outcome) {
    why = result.outcome.error().message;
  } else if (result.outcome->state == engine::FileState::done) {
    state = words.done;
    why = result.outcome->verdict.rehearsal ? "rehearsal, not for release" : "";
  } else if (result.outcome->state == engine::FileState::skipped) {
    state = "skipped";
    why = result.outcome->reason;
  } else {
    const auto objections = result.outcome->verdict.objections();
    why = objections.empty() ? "" : finding_text(objections.front());
  }
  return "| " + cell(result.path) + " | " + state + " | " + cell(why) + " |\n";
}

}  // namespace

void write_job_summary(Context& context,
                       const BatchWords& words,
                       const engine::RunSummary& summary) {
  const auto path = context.environment().get("GITHUB_STEP_SUMMARY");
  if (!path) {
    return;
  }
  std::string text = "### signctl " + std::string(words.verb) + "\n\n" +
                     summary_line(summary, words.done) + "\n\n";
  if (summary.failure) {
    text += "**" + cell(summary.failure->message) + "**\n\n";
  }
  text += "| file | result | why |\n|---|---|---|\n";
  std::size_t rows = 0;
  for (const engine::FileResult& result : summary.files) {
    if (rows++ == kMaxRows) {
      text += "| ... | | and more |\n";
      break;
    }
    text += row(result, words);
  }
  std::ofstream file(to_path(*path), std::ios::app | std::ios::binary);
  file << text << "\n";
  if (!file.flush()) {
    log_warning("the job summary could not be written to " + *path);
  }
}

}  // namespace signctl::cli
