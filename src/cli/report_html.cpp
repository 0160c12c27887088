// SPDX-License-Identifier: Apache-2.0
// One page that needs nothing else: no script, no font, no picture, no network.
#include "cli/reports.hpp"

#include <algorithm>

namespace signctl::cli {

namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #667085; --line: #e3e7ee;
  --band: #f6f8fb; --good: #0b7a43; --skip: #8a6100; --bad: #b3261e; --badge: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #12161c; --faint: #98a2b3;
  --line: #2a313c; --band: #1a2029; --good: #4cc38a; --skip: #e5b94e; --bad: #ff7b72; --badge: #12161c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.4rem; margin: 0; }
.meta { color: var(--faint); margin: .25rem 0 1.5rem; }
.tiles { display: flex; gap: .75rem; flex-wrap: wrap; margin-bottom: 1.5rem; }
.tile { flex: 1 1 8rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--band); }
.tile b { display: block; font-size: 1.6rem; line-height: 1.2; }
.tile span { color: var(--faint); }
.tile.alarm { border-color: var(--bad); } .tile.alarm b { color: var(--bad); }
.failure { padding: .75rem 1rem; border: 1px solid var(--bad); border-radius: .5rem; margin: 0 0 1.5rem; }
.failure b { color: var(--bad); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .75rem; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; background: var(--band); color: var(--faint); font-weight: 600; white-space: nowrap; }
td.path { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: .86rem; overflow-wrap: anywhere; }
.state { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .82rem; font-weight: 600;
  color: var(--badge); background: var(--good); white-space: nowrap; }
.skipped .state { background: var(--skip); } .bad .state { background: var(--bad); }
.note { color: var(--faint); font-size: .88rem; }
details { margin-top: .25rem; } summary { cursor: pointer; color: var(--faint); font-size: .88rem; }
ul { margin: .25rem 0 0; padding-left: 1.1rem; font-size: .88rem; }
.error { color: var(--bad); } .warning { color: var(--skip); }
)";

std::string_view css_class(ReportRow::Kind kind) {
  switch (kind) {
    case ReportRow::Kind::good:
      return "good";
    case ReportRow::Kind::skipped:
      return "skipped";
    case ReportRow::Kind::refused:
    case ReportRow::Kind::error:
      return "bad";
  }
  return "";
}

std::string tile(std::size_t count, std::string_view what, std::string_view more = "") {
  return "<div class=\"tile" + std::string(more) + "\"><b>" + std::to_string(count) + "</b><span>" +
         escape_markup(what) + "</span></div>\n";
}

std::string findings(const ReportRow& row) {
  if (row.findings.empty()) {
    return "";
  }
  const bool open = row.kind == ReportRow::Kind::refused;
  std::string text = "<details" + std::string(open ? " open" : "") + "><summary>" +
                     std::to_string(row.findings.size()) +
                     (row.findings.size() == 1 ? " finding" : " findings") + "</summary><ul>";
  for (const Finding& finding : row.findings) {
    text += "<li class=\"" + std::string(severity_name(finding.severity)) + "\">" +
            escape_markup(finding.subject) + ": " + escape_markup(finding.message) + " <code>" +
            escape_markup(finding.id) + "</code></li>";
  }
  return text + "</ul></details>";
}

std::string row_html(const ReportRow& row) {
  std::string text = "<tr class=\"" + std::string(css_class(row.kind)) + "\"><td class=\"path\">" +
                     escape_markup(row.path) + "</td><td><span class=\"state\">" +
                     escape_markup(row.state) + "</span></td><td>" + escape_markup(row.why);
  if (!row.hint.empty()) {
    text += "<div class=\"note\">" + escape_markup(row.hint) + "</div>";
  }
  text += findings(row) + "</td><td>" + escape_markup(row.subject);
  if (!row.signer.empty()) {
    text += "<div class=\"note\">by " + escape_markup(row.signer) + "</div>";
  }
  return text + "</td><td>" + escape_markup(row.timestamp) + "</td></tr>\n";
}

std::string failure_html(const Error& failure) {
  return "<p class=\"failure\"><b>" + escape_markup(failure.message) + "</b>" +
         (failure.hint.empty()
              ? ""
              : "<br><span class=\"note\">" + escape_markup(failure.hint) + "</span>") +
         "</p>\n";
}

}  // namespace

std::string html_report(const ReportData& data) {
  const auto count = [&](std::string_view kind) {
    return static_cast<std::size_t>(
        std::count_if(data.rows.begin(), data.rows.end(), [&](const auto& row) {
          return css_class(row.kind) == kind;
        }));
  };
  const std::string title = "signctl " + std::string(data.words.verb);
  std::string text =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>" +
      escape_markup(title) + "</title>\n<style>" + std::string(kStyle) +
      "</style>\n</head>\n<body>\n<h1>" + escape_markup(title) + "</h1>\n<p class=\"meta\">" +
      escape_markup(data.summary) + " &middot; exit code " + std::to_string(data.exit_code) +
      " &middot; " + escape_markup(data.time) + "</p>\n<div class=\"tiles\">\n" +
      tile(count("good"), data.words.done) + tile(count("skipped"), "skipped") +
      tile(count("bad"), "failed", count("bad") > 0 ? " alarm" : "") + "</div>\n";
  for (const Error& failure : data.failures) {
    text += failure_html(failure);
  }
  text +=
      "<div class=\"scroll\"><table>\n<thead><tr><th>file</th><th>result</th>"
      "<th>why</th><th>signed by</th><th>timestamp</th></tr></thead>\n<tbody>\n";
  // What has to be looked at first, the rest in the order of the plan.
  for (const bool bad : {true, false}) {
    for (const ReportRow& row : data.rows) {
      text += (css_class(row.kind) == "bad") == bad ? row_html(row) : "";
    }
  }
  return text + "</tbody>\n</table></div>\n</body>\n</html>\n";
}

}  // namespace signctl::cli
