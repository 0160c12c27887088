// SPDX-License-Identifier: Apache-2.0
#include "cli/errors.hpp"

#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "core/text.hpp"

#include <cstdio>
#include <string_view>

namespace signctl::cli {

namespace {

void put_error_line(std::string_view text) {
  const std::string line = std::string(text) + "\n";
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

/// Messages of either service end at a line break, and give some characters a meaning.
std::string escaped(std::string_view text, std::string_view special) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (special.find(c) == std::string_view::npos) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += kDigits[byte >> 4U];
    result += kDigits[byte & 15U];
  }
  return result;
}

void put_hint(const Context& context, const std::string& hint) {
  if (!hint.empty()) {
    put_error_line("signctl: " + context.paint_error("hint:", Color::bold) + " " + printable(hint));
  }
}

}  // namespace

void print_error(Context& context, const Error& error) {
  const std::string_view message = error.message;
  // No words for a reader that has gone away.
  if (message.empty()) {
    return;
  }
  if (context.json_log()) {
    put_error_line(error_log_line(error, context.clock().now()));
    return;
  }
  put_error_line("signctl: " + context.paint_error("error:", Color::red) + " " +
                 printable(message));
  for (const std::string& step : error.trail) {
    put_error_line("signctl:        while " + printable(step));
  }
  put_hint(context, error.hint);
}

void print_objections(Context& context, const std::vector<Finding>& objections) {
  for (const Finding& finding : objections) {
    put_error_line(context.json_log() ? finding_log_line(finding, context.clock().now())
                                      : "signctl:   " + finding_text(finding));
    if (!context.json_log()) {
      put_hint(context, finding.hint);
    }
  }
}

void report_error(Context& context, const Error& error) {
  print_error(context, error);
  if (context.json()) {
    print_error_document(context, error);
  }
}

void annotate(Context& context, const std::string& path, const std::string& message) {
  const Environment& environment = context.environment();
  if (environment.get("GITHUB_ACTIONS") == "true") {
    put_error_line("::error file=" + escaped(path, "%\r\n:,") + "::" + escaped(message, "%\r\n"));
  }
  if (environment.get("TF_BUILD") == "True") {
    put_error_line("##vso[task.logissue type=error;sourcepath=" + escaped(path, "%\r\n;]") + "]" +
                   escaped(message, "%\r\n"));
  }
}

}  // namespace signctl::cli
