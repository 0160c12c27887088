// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/parts.hpp"
#include "cli/render_json.hpp"
#include "cli/reports.hpp"

#include <signctl/result.hpp>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace signctl::cli {

/// A report that sign wrote with `--report FILE.json`.
struct NamedReport {
  std::string name;
  Json document;
};

/// One report over the files of all: numbers are added up, the exit code is the first that is not
/// 0.
///
/// @errors `input` when one is no such report, or a file is in two of them.
Result<Json> merge_reports(const std::vector<NamedReport>& reports);

/// Which part of a release a report is of.
[[nodiscard]] audit::Part part_of(const NamedReport& report);

/// Says in a joined report that the release is not complete, and why.
void add_missing(const std::vector<std::string>& missing, Json& joined);

/// What the other formats show of such a document.
[[nodiscard]] ReportData report_data(const Json& document, TimePoint now);

}  // namespace signctl::cli
