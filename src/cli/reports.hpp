// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/parts.hpp"
#include "cli/batch.hpp"
#include "cli/common_options.hpp"
#include "cli/context.hpp"
#include "engine/run.hpp"

#include <signctl/error.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

// What --report writes: one batch as a file for machines or people.
namespace signctl::cli {

enum class ReportFormat { json, junit, sarif, markdown, html };

/// The format that `--report-format` names, else that of the file's extension.
///
/// @errors `usage`, listing the formats.
Result<ReportFormat> report_format(const ReportFlags& flags);

/// Whether the flags make sense, before anything is done.
Result<void> check(const ReportFlags& flags);

/// One file of a batch, as reports show it.
struct ReportRow {
  enum class Kind { good, skipped, refused, error } kind{Kind::good};
  std::string path;
  std::string state;  ///< "signed", "skipped", "refused", "error"
  std::string why;    ///< One line; empty when all is well.
  std::string hint;
  std::string signer;
  std::string subject;    ///< Of the signing certificate.
  std::string timestamp;  ///< When, and by which server, as far as known.
  std::vector<Finding> findings;
};

/// A batch as reports show it.
struct ReportData {
  BatchWords words;
  std::string summary;  ///< "3 planned = 3 signed + 0 skipped"
  int exit_code{};
  std::string time;
  std::vector<ReportRow> rows;
  std::vector<Error> failures;  ///< Why runs ended before their first file.
};
[[nodiscard]] ReportData report_data(const BatchWords& words,
                                     const engine::RunSummary& summary,
                                     TimePoint now);

// One function a format, each the whole document.
[[nodiscard]] std::string junit_report(const ReportData& data);
[[nodiscard]] std::string sarif_report(const ReportData& data);
[[nodiscard]] std::string markdown_report(const ReportData& data);
[[nodiscard]] std::string html_report(const ReportData& data);

/// The report in a format.
///
/// @param document  What the format json is.
[[nodiscard]] std::string render_report(ReportFormat format,
                                        const ReportData& data,
                                        const nlohmann::ordered_json& document);

/// `text` for XML and HTML content and attributes; characters that XML 1.0 has no place for are
/// shown as printable() does.
[[nodiscard]] std::string escape_markup(std::string_view text);

/// Writes the report that `flags` ask for; nothing when they ask for none.
///
/// @errors `output`.
Result<void> write_report(Context& context,
                          const ReportFlags& flags,
                          const BatchWords& words,
                          const engine::RunSummary& summary,
                          const audit::Part& part);

}  // namespace signctl::cli
