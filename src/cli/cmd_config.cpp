// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/render.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "core/text.hpp"

#include <functional>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

/// One effective value, as text.
struct Row {
  std::string key;
  std::string value;
};

/// As the config would say it: "2m", "30s", "500ms".
std::string duration_text(std::chrono::milliseconds duration) {
  using namespace std::chrono;
  if (duration.count() != 0 && duration % minutes{1} == milliseconds{0}) {
    return std::to_string(duration_cast<minutes>(duration).count()) + "m";
  }
  if (duration.count() != 0 && duration % seconds{1} == milliseconds{0}) {
    return std::to_string(duration_cast<seconds>(duration).count()) + "s";
  }
  return std::to_string(duration.count()) + "ms";
}

std::string if_signed_text(config::ExistingSignature rule) {
  switch (rule) {
    case config::ExistingSignature::fail:
      return "fail";
    case config::ExistingSignature::skip_valid:
      return "skip-valid";
    case config::ExistingSignature::append:
      return "append";
    case config::ExistingSignature::replace:
      return "replace";
  }
  return "";
}

void add_signers(const config::Config& config, std::vector<Row>& rows) {
  for (const auto& [name, signer] : config.signers) {
    const std::string prefix = "signers." + name + ".";
    rows.push_back({prefix + "provider", signer.provider});
    for (const auto& [key, value] : signer.values) {
      rows.push_back({prefix + key, value});
    }
    // Where a secret comes from may be said; what it is may not, and is not looked up.
    for (const auto& [key, references] : signer.secrets) {
      std::vector<std::string> places;
      for (const SecretRef& reference : references) {
        places.push_back(reference.describe());
      }
      rows.push_back({prefix + key, "(set) " + join(places, ", ")});
    }
  }
}

void add_sign(const config::Sign& sign, std::vector<Row>& rows) {
  rows.push_back({"sign.signer", join(sign.signer, ", ")});
  rows.push_back({"sign.digest", std::string(digest_name(sign.digest))});
  rows.push_back({"sign.description", sign.description});
  rows.push_back({"sign.url", sign.url});
  rows.push_back({"sign.page-hashes", sign.page_hashes ? "true" : "false"});
  rows.push_back({"sign.complete-chain", sign.complete_chain ? "true" : "false"});
  rows.push_back({"sign.if-signed", if_signed_text(sign.if_signed)});
  rows.push_back({"sign.timestamp.servers", join(sign.timestamp_servers, ", ")});
  rows.push_back({"sign.timestamp.digest", std::string(digest_name(sign.timestamp_digest))});
  rows.push_back({"sign.timestamp.interval", duration_text(sign.timestamp_interval)});
  rows.push_back({"sign.timestamp.burst", std::to_string(sign.timestamp_burst)});
  rows.push_back({"sign.jobs", std::to_string(sign.jobs)});
  rows.push_back({"sign.retry.attempts", std::to_string(sign.retry.attempts)});
  rows.push_back({"sign.retry.initial", duration_text(sign.retry.initial)});
  rows.push_back({"sign.retry.max", duration_text(sign.retry.max)});
  rows.push_back({"sign.retry.deadline", duration_text(sign.retry.deadline)});
}

void add_steps(const std::vector<config::Step>& steps, std::vector<Row>& rows) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string prefix = "steps[" + std::to_string(i) + "].";
    rows.push_back({prefix + "name", steps[i].name});
    rows.push_back({prefix + "files", join(steps[i].files, ", ")});
    if (!steps[i].exclude.empty()) {
      rows.push_back({prefix + "exclude", join(steps[i].exclude, ", ")});
    }
    rows.push_back({prefix + "allow-empty", steps[i].allow_empty ? "true" : "false"});
  }
}

std::string nested_text(NestedRule rule) {
  switch (rule) {
    case NestedRule::off:
      return "off";
    case NestedRule::report:
      return "report";
    case NestedRule::require_signed:
      return "require-signed";
  }
  return "";
}

void add_gate(const config::Gate& gate, std::vector<Row>& rows) {
  rows.push_back(
      {"gate.timestamp", gate.timestamp == TimestampRule::required ? "required" : "optional"});
  rows.push_back({"gate.trust", join(gate.trust, ", ")});
  for (const auto& [name, value] : gate.identity.subject) {
    rows.push_back({"gate.identity.subject." + name, value});
  }
  rows.push_back({"gate.identity.eku", join(gate.identity.eku, ", ")});
  rows.push_back({"gate.identity.thumbprint", gate.identity.sha256_thumbprint});
  rows.push_back({"gate.identity.issuer.CN", gate.identity.issuer_cn});
  rows.push_back({"gate.nested", nested_text(gate.nested)});
  rows.push_back({"gate.revocation", gate.revocation});
}

void add_run(const config::Config& config, std::vector<Row>& rows) {
  const auto& most = config.limits.signatures_per_run;
  rows.push_back({"limits.signatures_per_run", most ? std::to_string(*most) : ""});
  for (const auto& [name, left] : config.limits.quota) {
    rows.push_back({"limits.quota." + name, std::to_string(left)});
  }
  rows.push_back({"audit.log", config.audit_log});
  rows.push_back({"audit.manifest", config.manifest});
  rows.push_back({"journal", config.journal});
  rows.push_back({"cache", config.cache});
}

std::string origin_of(const config::Config& config, const std::string& key) {
  const auto found = config.origins.find(key);
  if (found != config.origins.end()) {
    return found->second;
  }
  // A whole mapping may be noted in place of its members.
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? "default" : origin_of(config, key.substr(0, dot));
}

struct ShowOptions {
  ConfigFlags config;
};

void declare_show(Flags& flags, ShowOptions& options) {
  declare(flags, options.config);
}

Result<int> show(const ShowOptions& options, Context& context) {
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  std::vector<Row> rows;
  add_signers(config, rows);
  add_sign(config.sign, rows);
  add_steps(config.steps, rows);
  add_gate(config.gate, rows);
  add_run(config, rows);
  if (context.json()) {
    Json json = document("config-show");
    json["file"] = config.file;
    json["values"] = Json::array();
    for (const Row& row : rows) {
      json["values"].push_back(
          {{"key", row.key}, {"value", row.value}, {"origin", origin_of(config, row.key)}});
    }
    print_json(context, json);
    return 0;
  }
  std::vector<std::vector<std::string>> lines{{"KEY", "VALUE", "FROM"}};
  for (const Row& row : rows) {
    if (!row.value.empty()) {
      lines.push_back(
          {printable(row.key), printable(row.value), printable(origin_of(config, row.key))});
    }
  }
  context.line(config.file.empty() ? "no config found; these are the defaults"
                                   : printable(config.file));
  context.line(table(lines));
  return 0;
}

struct SchemaOptions {};

void declare_schema(Flags& /*flags*/, SchemaOptions& /*options*/) {}

Result<int> schema(const SchemaOptions& /*options*/, Context& context) {
  // The schema is a JSON document already; --json changes nothing.
  std::string text = config::json_schema();
  if (text.empty() || text.back() != '\n') {
    text += '\n';
  }
  context.write(text);
  return 0;
}

}  // namespace

const Command& config_show_command() {
  static constexpr Command kCommand{"config show",
                                    "Set up",
                                    "",
                                    "Show each value of the config and where it came from",
                                    "Shows the values in effect and the file, line and column each "
                                    "came from. Secrets are shown as "
                                    "(set) with their reference, and not looked up.",
                                    "  signctl config show -c release.yaml\n",
                                    set_up<ShowOptions, declare_show, show>};
  return kCommand;
}

const Command& config_schema_command() {
  static constexpr Command kCommand{"config schema",
                                    "Set up",
                                    "",
                                    "Print the JSON Schema of signctl.yaml",
                                    "",
                                    "  signctl config schema > signctl.schema.json\n",
                                    set_up<SchemaOptions, declare_schema, schema>};
  return kCommand;
}

}  // namespace signctl::cli
