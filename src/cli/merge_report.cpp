// SPDX-License-Identifier: Apache-2.0
#include "cli/merge_report.hpp"

#include "cli/render.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <utility>

namespace signctl::cli {

namespace {

constexpr std::string_view kSchema = "signctl/sign/1";
constexpr std::array kCounts{"planned", "signed", "skipped", "failed", "not_started", "reused"};

std::string text_at(const Json& json, const char* path) {
  const Json::json_pointer pointer(path);
  return json.is_structured() && json.contains(pointer) && json.at(pointer).is_string()
             ? json.at(pointer).get<std::string>()
             : "";
}

std::size_t number_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

Result<void> check_report(const NamedReport& report) {
  const Json& json = report.document;
  const auto code = json.is_object() ? json.find("exit_code") : json.end();
  const auto files = json.is_object() ? json.find("files") : json.end();
  if (!json.is_object() || text_at(json, "/schema") != kSchema || code == json.end() ||
      !code->is_number_integer() || files == json.end() || !files->is_array()) {
    return Error{ErrorKind::input,
                 printable(report.name) + " is no report of a run of sign",
                 "merge what sign --report FILE.json wrote"};
  }
  return ok();
}

void add_signers(const Json& from, std::map<std::string, Json>& signers) {
  const auto list = from.find("signers");
  if (list == from.end() || !list->is_array()) {
    return;
  }
  for (const Json& signer : *list) {
    const auto [known, fresh] = signers.emplace(text_at(signer, "/name"), signer);
    if (!fresh) {
      known->second["signatures"] =
          number_at(known->second, "signatures") + number_at(signer, "signatures");
    }
  }
}

std::vector<Finding> findings_of(const Json& file) {
  std::vector<Finding> findings;
  const Json::json_pointer pointer("/verdict/findings");
  if (!file.contains(pointer) || !file.at(pointer).is_array()) {
    return findings;
  }
  for (const Json& one : file.at(pointer)) {
    const std::string severity = text_at(one, "/severity");
    findings.push_back(
        {text_at(one, "/id"),
         severity == "error"     ? Severity::error
         : severity == "warning" ? Severity::warning
                                 : Severity::info,
         text_at(one, "/subject"),
         text_at(one, "/message"),
         text_at(one, "/judgement") == "now" ? Judgement::now : Judgement::after_expiry});
  }
  return findings;
}

ReportRow row_of(const Json& file) {
  ReportRow row;
  row.path = text_at(file, "/path");
  row.state = text_at(file, "/state");
  row.signer = text_at(file, "/signer");
  row.findings = findings_of(file);
  const Json::json_pointer signatures("/report/signatures");
  if (file.contains(signatures) && file.at(signatures).is_array() && !file.at(signatures).empty()) {
    const Json& last = file.at(signatures).back();
    row.subject = text_at(last, "/chain/certificates/0/subject");
    row.timestamp = text_at(last, "/timestamp/time");
  }
  if (const std::string by = text_at(file, "/timestamp_source"); !by.empty()) {
    row.timestamp += (row.timestamp.empty() ? "" : ", ") + by;
  }
  if (row.state == "error") {
    row.kind = ReportRow::Kind::error;
    row.why = text_at(file, "/error/message");
    row.hint = text_at(file, "/error/hint");
  } else if (row.state == "skipped") {
    row.kind = ReportRow::Kind::skipped;
    row.why = text_at(file, "/reason");
  } else if (row.state == "refused") {
    row.kind = ReportRow::Kind::refused;
    row.why = "the gate refused it";
    for (const Finding& finding : row.findings) {
      if (finding.severity == Severity::error) {
        row.why = finding_text(finding);
        break;
      }
    }
  } else if (const std::string from = text_at(file, "/reused"); !from.empty()) {
    row.why = "signature taken from " + from;
  }
  return row;
}

}  // namespace

Result<Json> merge_reports(const std::vector<NamedReport>& reports) {
  Json merged = document("sign");
  merged["exit_code"] = 0;
  std::map<std::string, std::size_t> counts;
  std::map<std::string, Json> signers;
  std::map<std::string, std::string> seen;
  Json files = Json::array();
  Json errors = Json::array();
  for (const NamedReport& report : reports) {
    SIGNCTL_CHECK(check_report(report), "");
    if (merged["exit_code"] == 0) {
      merged["exit_code"] = report.document["exit_code"];
    }
    for (const char* count : kCounts) {
      counts[count] += number_at(report.document, count);
    }
    add_signers(report.document, signers);
    if (const auto error = report.document.find("error"); error != report.document.end()) {
      errors.push_back(*error);
    }
    for (const Json& file : report.document["files"]) {
      const std::string path = text_at(file, "/path");
      if (const auto [other, fresh] = seen.emplace(path, report.name); !fresh) {
        return Error{ErrorKind::input,
                     printable(path) + " is in " + printable(other->second) + " and in " +
                         printable(report.name),
                     "of a job that was repeated, give the last report only"};
      }
      files.push_back(file);
    }
  }
  for (const char* count : kCounts) {
    merged[count] = counts[count];
  }
  if (!errors.empty()) {
    merged["errors"] = std::move(errors);
  }
  merged["signers"] = Json::array();
  for (const auto& [name, signer] : signers) {
    merged["signers"].push_back(signer);
  }
  merged["files"] = std::move(files);
  return merged;
}

audit::Part part_of(const NamedReport& report) {
  return audit::read_part(
      report.name, report.document.value("run", Json()), report.document.value("shard", Json()));
}

void add_missing(const std::vector<std::string>& missing, Json& joined) {
  for (const std::string& line : missing) {
    joined["errors"].push_back(to_json(Error{ErrorKind::gate, line}));
  }
  if (!missing.empty() && joined["exit_code"] == 0) {
    joined["exit_code"] = exit_code(ErrorKind::gate);
  }
}

ReportData report_data(const Json& document, TimePoint now) {
  engine::RunSummary summary;
  summary.planned = number_at(document, "planned");
  summary.done = number_at(document, "signed");
  summary.skipped = number_at(document, "skipped");
  summary.failed = number_at(document, "failed");
  summary.not_started = number_at(document, "not_started");
  ReportData data{{"sign", "signed"},
                  summary_line(summary, "signed"),
                  document.value("exit_code", 1),
                  to_iso8601(now),
                  {},
                  {}};
  if (const auto errors = document.find("errors"); errors != document.end()) {
    for (const Json& error : *errors) {
      data.failures.push_back(
          {ErrorKind::internal, text_at(error, "/message"), text_at(error, "/hint")});
    }
  }
  for (const Json& file : document["files"]) {
    data.rows.push_back(row_of(file));
  }
  return data;
}

}  // namespace signctl::cli
