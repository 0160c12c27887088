// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"
#include "engine/run.hpp"
#include "engine/sign_file.hpp"

#include <signctl/finding.hpp>
#include <signctl/report.hpp>

#include <string>
#include <string_view>
#include <vector>

// Texts for people. Not stable: pipelines read --json.
namespace signctl::cli {

/// "unsigned (file): the file is not signed"
[[nodiscard]] std::string finding_text(const Finding& finding);

/// "OK  app.exe", who signed it, and every finding.
void print_verdict(Context& context, const engine::FileOutcome& outcome);

/// The objections of a gate that refused to let a file pass, to stderr.
void print_refusal(Context& context, const engine::FileOutcome& outcome);

/// Everything that a report holds.
enum class Ranges { hide, show };
void print_report(Context& context, const Report& report, Ranges ranges);

/// "3 planned = 2 signed + 1 skipped", and what else became of them.
[[nodiscard]] std::string summary_line(const engine::RunSummary& summary, std::string_view done);

/// "1000 signatures a certificate and year", for ProviderTraits::signatures_a_year.
[[nodiscard]] std::string quota_text(int signatures_a_year);

/// Rows with aligned columns; the first row is the heading.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace signctl::cli
