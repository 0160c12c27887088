// SPDX-License-Identifier: Apache-2.0
#include "cli/reports.hpp"

#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "core/atomic_file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct FormatName {
  std::string_view name;
  ReportFormat format;
  std::string_view extension;
};

constexpr std::array kFormats{
    FormatName{"json", ReportFormat::json, ".json"},
    FormatName{"junit", ReportFormat::junit, ".xml"},
    FormatName{"sarif", ReportFormat::sarif, ".sarif"},
    FormatName{"markdown", ReportFormat::markdown, ".md"},
    FormatName{"html", ReportFormat::html, ".html"},
};

constexpr const char* kFormatsHint = "use json, junit (.xml), sarif, markdown (.md) or html";

void fill_from_report(ReportRow& row, const engine::FileOutcome& outcome) {
  row.findings = outcome.verdict.findings;
  if (outcome.report.signatures.empty()) {
    return;
  }
  const SignatureInfo& signature = outcome.report.signatures.back();
  if (!signature.chain.certificates.empty()) {
    row.subject = signature.chain.certificates.front().subject;
  }
  if (signature.timestamp && signature.timestamp->valid) {
    row.timestamp = to_iso8601(signature.timestamp->time);
  }
}

ReportRow row_of(const engine::FileResult& result, const BatchWords& words) {
  ReportRow row;
  row.path = result.path;
  if (!result.outcome) {
    row.kind = ReportRow::Kind::error;
    row.state = "error";
    row.why = result.outcome.error().message;
    row.hint = result.outcome.error().hint;
    return row;
  }
  const engine::FileOutcome& outcome = *result.outcome;
  row.signer = outcome.signer;
  fill_from_report(row, outcome);
  if (!outcome.timestamp_source.empty()) {
    row.timestamp += (row.timestamp.empty() ? "" : ", ") + outcome.timestamp_source;
  }
  switch (outcome.state) {
    case engine::FileState::done:
      row.state = words.done;
      row.why = !outcome.reused.empty()     ? "signature taken from " + outcome.reused
                : outcome.verdict.rehearsal ? "rehearsal, not for release"
                                            : "";
      break;
    case engine::FileState::skipped:
      row.kind = ReportRow::Kind::skipped;
      row.state = "skipped";
      row.why = outcome.reason;
      break;
    case engine::FileState::refused: {
      row.kind = ReportRow::Kind::refused;
      row.state = "refused";
      const auto objections = outcome.verdict.objections();
      row.why = objections.empty() ? "the gate refused it" : finding_text(objections.front());
      break;
    }
  }
  return row;
}

}  // namespace

Result<ReportFormat> report_format(const ReportFlags& flags) {
  const std::string lower = to_lower(flags.file);
  for (const FormatName& known : kFormats) {
    if (flags.format.empty() ? lower.ends_with(known.extension) : flags.format == known.name) {
      return known.format;
    }
  }
  return Error{ErrorKind::usage,
               flags.format.empty()
                   ? "the name of the report " + printable(flags.file) + " does not tell its format"
                   : "there is no report format \"" + printable(flags.format) + "\"",
               std::string(flags.format.empty() ? "add --report-format; " : "") + kFormatsHint};
}

Result<void> check(const ReportFlags& flags) {
  if (flags.file.empty()) {
    return flags.format.empty()
               ? ok()
               : Result<void>(Error{ErrorKind::usage, "--report-format needs --report FILE"});
  }
  SIGNCTL_TRY(const ReportFormat format, report_format(flags), "");
  (void)format;
  return ok();
}

ReportData report_data(const BatchWords& words, const engine::RunSummary& summary, TimePoint now) {
  ReportData data{
      words, summary_line(summary, words.done), summary.exit_code(), to_iso8601(now), {}, {}};
  if (summary.failure) {
    data.failures.push_back(*summary.failure);
  }
  for (const engine::FileResult& result : summary.files) {
    data.rows.push_back(row_of(result, words));
  }
  return data;
}

std::string render_report(ReportFormat format, const ReportData& data, const Json& document) {
  switch (format) {
    case ReportFormat::json:
      return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    case ReportFormat::junit:
      return junit_report(data);
    case ReportFormat::sarif:
      return sarif_report(data);
    case ReportFormat::markdown:
      return markdown_report(data);
    case ReportFormat::html:
      return html_report(data);
  }
  return {};
}

std::string escape_markup(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

Result<void> write_report(Context& context,
                          const ReportFlags& flags,
                          const BatchWords& words,
                          const engine::RunSummary& summary,
                          const audit::Part& part) {
  if (flags.file.empty()) {
    return ok();
  }
  SIGNCTL_TRY(const ReportFormat format, report_format(flags), "");
  Json document = batch_document(words.verb, words.done, summary);
  audit::put_part(document, part);
  const std::string text =
      render_report(format, report_data(words, summary, context.clock().now()), document);
  auto written = write_file(flags.file, as_bytes(text), Existing::replace);
  if (!written) {
    return std::move(written).error().within("writing the report");
  }
  return ok();
}

}  // namespace signctl::cli
