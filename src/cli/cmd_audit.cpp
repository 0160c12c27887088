// SPDX-License-Identifier: Apache-2.0
// What can be done with an audit log.
#include "audit/log.hpp"
#include "cli/command.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

constexpr std::size_t kLargestLog = std::size_t{1} << 30U;

struct Options {
  std::string file;
  std::string head;
  ConfigFlags config;
};

void declare_show(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operand(options.file);
  declare(flags, options.config);
}

void declare_verify(Flags& flags, Options& options) {
  declare_show(flags, options);
  flags.group("Audit");
  flags.value("--head",
              options.head,
              "HEX",
              "A head that was noted down earlier: its line must be there, and all before it");
}

Result<Bytes> read_log(const Options& options, std::string& path) {
  path = options.file;
  if (path.empty()) {
    SIGNCTL_TRY(const auto config, load_config(options.config), "");
    path = config.audit_log;
  }
  if (path.empty()) {
    return Error{ErrorKind::usage,
                 "no audit log is named",
                 "name the file, or set audit.log in signctl.yaml"};
  }
  SIGNCTL_TRY(Bytes bytes, read_file(path, kLargestLog), "reading the audit log");
  if (bytes.empty()) {
    return Error{ErrorKind::input, "the audit log " + printable(path) + " is empty"};
  }
  return bytes;
}

Result<int> verify(const Options& options, Context& context) {
  constexpr std::size_t kDigits = 64;
  if (!options.head.empty() && options.head.size() != kDigits) {
    return Error{ErrorKind::usage, "--head wants 64 hexadecimal digits"};
  }
  std::string path;
  SIGNCTL_TRY(const Bytes bytes, read_log(options, path), "");
  const audit::LogCheck check = audit::check_log(as_text(bytes), to_lower(options.head));
  const bool good = check.defects.empty() && (options.head.empty() || check.expected_seen);
  if (context.json()) {
    Json json = document("audit-verify");
    json["path"] = path;
    json["intact"] = good;
    json["records"] = check.records;
    json["torn_lines"] = check.torn;
    json["head"] = check.head;
    json["defects"] = Json::array();
    for (const auto& [line, what] : check.defects) {
      json["defects"].push_back({{"line", line}, {"what", what}});
    }
    print_json(context, json);
  }
  for (const auto& [line, what] : check.defects) {
    context.line(printable(path) + ":" + std::to_string(line) + ": " + what);
  }
  if (!options.head.empty() && !check.expected_seen) {
    context.line(printable(path) + ": the line with the head given is not there");
  }
  context.line(std::to_string(check.records) + " records" +
               (check.torn > 0 ? ", " + std::to_string(check.torn) + " torn lines" : "") +
               (good ? ": intact; head " + check.head : ": NOT intact"));
  return good ? 0 : exit_code(ErrorKind::gate);
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

/// One record for people.
std::string line_for(const Json& record) {
  const std::string event = text_of(record, "event");
  std::string line = text_of(record, "time") + "  " + event;
  for (const char* key : {"path", "signer", "certificate", "timestamp", "why", "config"}) {
    if (const std::string value = text_of(record, key); !value.empty()) {
      line += "  " + std::string(key) + "=" + value;
    }
  }
  if (const auto code = record.find("exit_code"); code != record.end()) {
    line += "  exit_code=" + code->dump();
  }
  if (const auto build = record.find("build"); build != record.end() && build->is_object()) {
    for (const auto& [name, value] : build->items()) {
      line += "  " + name + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return printable(line);
}

Result<int> show(const Options& options, Context& context) {
  std::string path;
  SIGNCTL_TRY(const Bytes bytes, read_log(options, path), "");
  std::string_view text = as_text(bytes);
  Json records = Json::array();
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    Json record = Json::parse(text.substr(0, end), nullptr, false);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!record.is_object()) {
      context.line("(a line that is no record)");
      continue;
    }
    if (context.json()) {
      records.push_back(std::move(record));
    } else {
      context.line(line_for(record));
    }
  }
  if (context.json()) {
    Json json = document("audit-show");
    json["path"] = path;
    json["records"] = std::move(records);
    print_json(context, json);
  }
  return 0;
}

}  // namespace

const Command& audit_verify_command() {
  static constexpr Command kCommand{
      "audit verify",
      "Look",
      "[FILE]",
      "Check that nothing was changed in an audit log, or taken out of it",
      "Checks the chain of hashes of the log that is named, or that of the config's audit.log. "
      "What "
      "was cut off at its end cannot be seen in the log alone: note the head that is printed, and "
      "give it with --head later. Exit code 1 means that the log is not intact.",
      "  signctl audit verify signctl-audit.jsonl\n",
      set_up<Options, declare_verify, verify>};
  return kCommand;
}

const Command& audit_show_command() {
  static constexpr Command kCommand{
      "audit show",
      "Look",
      "[FILE]",
      "Show an audit log, one line a record",
      "Shows the log that is named, or that of the config's audit.log. It checks nothing.",
      "  signctl audit show signctl-audit.jsonl\n"
      "  signctl audit show --json | jq '.records[] | select(.event == \"file-signed\")'\n",
      set_up<Options, declare_show, show>};
  return kCommand;
}

}  // namespace signctl::cli
