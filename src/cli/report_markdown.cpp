// SPDX-License-Identifier: Apache-2.0
#include "cli/reports.hpp"
#include "core/text.hpp"

namespace signctl::cli {

namespace {

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

}  // namespace

std::string markdown_report(const ReportData& data) {
  std::string text = "# signctl " + std::string(data.words.verb) + "\n\n" + cell(data.summary) +
                     "\n\nexit code " + std::to_string(data.exit_code) + ", " + data.time + "\n\n";
  for (const Error& failure : data.failures) {
    text += "**" + cell(failure.message) + "**" +
            (failure.hint.empty() ? "" : " (" + cell(failure.hint) + ")") + "\n\n";
  }
  text += "| file | result | why | signer | timestamp |\n|---|---|---|---|---|\n";
  for (const ReportRow& row : data.rows) {
    const bool bad = row.kind == ReportRow::Kind::refused || row.kind == ReportRow::Kind::error;
    const std::string signer = !row.subject.empty() ? row.subject : row.signer;
    text += "| " + cell(row.path) + " | " +
            (bad ? "**" + cell(row.state) + "**" : cell(row.state)) + " | " + cell(row.why) +
            " | " + cell(signer) + " | " + cell(row.timestamp) + " |\n";
  }
  return text;
}

}  // namespace signctl::cli
