// SPDX-License-Identifier: Apache-2.0
// SARIF 2.1.0 (OASIS, March 2020): every warning and error is a result on its file.
#include "cli/render_json.hpp"
#include "cli/reports.hpp"

#include <set>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

/// A path as URI reference (RFC 3986): sections 3.4.3 and 3.4.4 of SARIF want one.
std::string uri_of(const std::string& path) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string uri;
  for (const char letter : path) {
    const auto octet = static_cast<unsigned char>(letter);
    const bool plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                       (octet >= '0' && octet <= '9') ||
                       std::string_view("-._~/").find(letter) != std::string_view::npos;
    if (letter == '\\') {
      uri += '/';
    } else if (plain) {
      uri += letter;
    } else {
      uri += '%';
      uri += kDigits[octet >> 4U];
      uri += kDigits[octet & 15U];
    }
  }
  return path.starts_with('/') ? "file://" + uri : uri;
}

std::string with_hint(const std::string& message, const std::string& hint) {
  return message + (hint.empty() ? "" : " (" + hint + ")");
}

Json result(const ReportRow& row,
            const std::string& rule,
            const std::string& level,
            const std::string& message) {
  Json json;
  json["ruleId"] = rule;
  json["level"] = level;
  json["message"]["text"] = message;
  Json location;
  location["physicalLocation"]["artifactLocation"]["uri"] = uri_of(row.path);
  json["locations"] = Json::array({location});
  return json;
}

}  // namespace

std::string sarif_report(const ReportData& data) {
  Json results = Json::array();
  std::set<std::string> rules;
  for (const ReportRow& row : data.rows) {
    if (row.kind == ReportRow::Kind::error) {
      results.push_back(result(row, "error", "error", with_hint(row.why, row.hint)));
      rules.insert("error");
    }
    for (const Finding& finding : row.findings) {
      if (finding.severity != Severity::info) {
        results.push_back(result(row,
                                 finding.id,
                                 severity_name(finding.severity),
                                 finding.subject + ": " + finding.message));
        rules.insert(finding.id);
      }
    }
  }
  Json driver;
  driver["name"] = "signctl";
  driver["rules"] = Json::array();
  for (const std::string& rule : rules) {
    driver["rules"].push_back({{"id", rule}});
  }
  Json run;
  run["tool"]["driver"] = driver;
  Json invocation;
  invocation["executionSuccessful"] = data.exit_code == 0;
  invocation["exitCode"] = data.exit_code;
  invocation["endTimeUtc"] = data.time;
  // Section 3.20.21: what kept the tool from running, as opposed to what it found.
  for (const Error& failure : data.failures) {
    invocation["toolExecutionNotifications"].push_back(
        {{"level", "error"}, {"message", {{"text", with_hint(failure.message, failure.hint)}}}});
  }
  run["invocations"] = Json::array({invocation});
  run["results"] = results;
  Json json;
  json["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  json["version"] = "2.1.0";
  json["runs"] = Json::array({run});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace signctl::cli
