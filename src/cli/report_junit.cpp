// SPDX-License-Identifier: Apache-2.0
// JUnit XML as CI systems read it (the Jenkins schema): one test case a file.
#include "cli/render.hpp"
#include "cli/reports.hpp"

#include <algorithm>

namespace signctl::cli {

namespace {

std::size_t count(const ReportData& data, ReportRow::Kind kind) {
  return static_cast<std::size_t>(std::count_if(
      data.rows.begin(), data.rows.end(), [&](const auto& row) { return row.kind == kind; }));
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escape_markup(value) + "\"";
}

std::string test_case(const ReportRow& row, const std::string& suite) {
  const std::string open =
      "  <testcase" + attribute("classname", suite) + attribute("name", row.path);
  std::string details;
  for (const Finding& finding : row.findings) {
    details += finding_text(finding) + "\n";
  }
  details += row.hint.empty() ? "" : "hint: " + row.hint + "\n";
  switch (row.kind) {
    case ReportRow::Kind::good:
      return open + "/>\n";
    case ReportRow::Kind::skipped:
      return open + ">\n    <skipped" + attribute("message", row.why) + "/>\n  </testcase>\n";
    case ReportRow::Kind::refused:
      return open + ">\n    <failure" + attribute("type", "gate") + attribute("message", row.why) +
             ">" + escape_markup(details) + "</failure>\n  </testcase>\n";
    case ReportRow::Kind::error:
      return open + ">\n    <error" + attribute("type", "error") + attribute("message", row.why) +
             ">" + escape_markup(details) + "</error>\n  </testcase>\n";
  }
  return "";
}

/// A run that ended before its first file would else be a suite without a failure.
std::string failed_run(const Error& failure, const std::string& suite) {
  ReportRow row;
  row.kind = ReportRow::Kind::error;
  row.path = "the run";
  row.why = failure.message;
  row.hint = failure.hint;
  return test_case(row, suite);
}

}  // namespace

std::string junit_report(const ReportData& data) {
  const std::string suite = "signctl " + std::string(data.words.verb);
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite" +
      attribute("name", suite) +
      attribute("tests", std::to_string(data.rows.size() + data.failures.size())) +
      attribute("failures", std::to_string(count(data, ReportRow::Kind::refused))) +
      attribute("errors",
                std::to_string(count(data, ReportRow::Kind::error) + data.failures.size())) +
      attribute("skipped", std::to_string(count(data, ReportRow::Kind::skipped))) +
      attribute("timestamp", data.time) + ">\n";
  for (const Error& failure : data.failures) {
    text += failed_run(failure, suite);
  }
  for (const ReportRow& row : data.rows) {
    text += test_case(row, suite);
  }
  text += "  <system-out>" + escape_markup(data.summary) + "</system-out>\n";
  return text + " </testsuite>\n</testsuites>\n";
}

}  // namespace signctl::cli
