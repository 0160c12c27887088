// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"
#include "config/config.hpp"
#include "config/signers.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <utility>

namespace signctl::config {
namespace {

// The document has been checked against the tables when these run: kinds are right, and what is not
// there keeps its default.

const Node* find_path(const Node& root, std::initializer_list<std::string_view> keys) {
  const Node* node = &root;
  for (const std::string_view key : keys) {
    node = node == nullptr ? nullptr : node->find(key);
  }
  return node;
}

std::vector<std::string> texts(const Node* node) {
  std::vector<std::string> result;
  if (node != nullptr && node->kind == NodeKind::scalar) {
    result.push_back(node->text);
  } else if (node != nullptr) {
    for (const Node& item : node->items) {
      result.push_back(item.text);
    }
  }
  return result;
}

void read(const Node* node, std::string& out) {
  if (node != nullptr) {
    out = node->text;
  }
}

void read(const Node* node, std::vector<std::string>& out) {
  if (node != nullptr) {
    out = texts(node);
  }
}

void read(const Node* node, bool& out) {
  if (node != nullptr) {
    out = node->text == "true";
  }
}

void read(const Node* node, int& out) {
  if (node != nullptr) {
    std::from_chars(node->text.data(), node->text.data() + node->text.size(), out);
  }
}

void read(const Node* node, std::chrono::milliseconds& out) {
  if (node != nullptr) {
    out = parse_duration(node->text).value_or(out);
  }
}

void read(const Node* node, DigestAlg& out) {
  if (node != nullptr) {
    out = find_digest_alg(node->text).value_or(out);
  }
}

void read(const Node* node, ExistingSignature& out) {
  if (node == nullptr) {
    return;
  }
  if (node->text == "fail") {
    out = ExistingSignature::fail;
  } else if (node->text == "skip-valid") {
    out = ExistingSignature::skip_valid;
  } else if (node->text == "append") {
    out = ExistingSignature::append;
  } else if (node->text == "replace") {
    out = ExistingSignature::replace;
  }
}

void read(const Node* node, TimestampRule& out) {
  if (node != nullptr) {
    out = node->text == "optional" ? TimestampRule::optional : TimestampRule::required;
  }
}

void read(const Node* node, NestedRule& out) {
  if (node == nullptr) {
    return;
  }
  if (node->text == "require-signed") {
    out = NestedRule::require_signed;
  } else {
    out = node->text == "report" ? NestedRule::report : NestedRule::off;
  }
}

/// The local authority's folder is relative to the config, like every path in it.
void place_servers(std::vector<std::string>& servers, const std::string& folder) {
  constexpr std::string_view kLocal = "dev:";
  for (std::string& server : servers) {
    if (server.size() > kLocal.size() && server.starts_with(kLocal)) {
      server = std::string(kLocal) + in_folder(folder, server.substr(kLocal.size()));
    }
  }
}

void read_sign(const Node& root, const std::string& folder, Sign& sign) {
  const auto at = [&](std::string_view key) { return find_path(root, {"sign", key}); };
  const auto retry = [&](std::string_view key) { return find_path(root, {"sign", "retry", key}); };
  read(at("signer"), sign.signer);
  read(at("digest"), sign.digest);
  read(at("description"), sign.description);
  read(at("url"), sign.url);
  read(at("page-hashes"), sign.page_hashes);
  read(at("complete-chain"), sign.complete_chain);
  read(at("if-signed"), sign.if_signed);
  read(find_path(root, {"sign", "timestamp", "servers"}), sign.timestamp_servers);
  place_servers(sign.timestamp_servers, folder);
  read(find_path(root, {"sign", "timestamp", "digest"}), sign.timestamp_digest);
  read(find_path(root, {"sign", "timestamp", "interval"}), sign.timestamp_interval);
  read(find_path(root, {"sign", "timestamp", "burst"}), sign.timestamp_burst);
  read(at("jobs"), sign.jobs);
  read(retry("attempts"), sign.retry.attempts);
  read(retry("initial"), sign.retry.initial);
  read(retry("max"), sign.retry.max);
  read(retry("deadline"), sign.retry.deadline);
}

void read_gate(const Node& root, Gate& gate) {
  const auto identity = [&](std::string_view key) {
    return find_path(root, {"gate", "identity", key});
  };
  read(find_path(root, {"gate", "timestamp"}), gate.timestamp);
  read(find_path(root, {"gate", "trust"}), gate.trust);
  read(find_path(root, {"gate", "nested"}), gate.nested);
  read(find_path(root, {"gate", "revocation"}), gate.revocation);
  if (const Node* subject = identity("subject")) {
    for (const Entry& entry : subject->entries) {
      gate.identity.subject.emplace(entry.key, entry.value.text);
    }
  }
  read(identity("eku"), gate.identity.eku);
  read(identity("thumbprint"), gate.identity.sha256_thumbprint);
  std::string& thumbprint = gate.identity.sha256_thumbprint;
  thumbprint = to_lower(thumbprint);
  std::erase(thumbprint, ':');
  read(find_path(root, {"gate", "identity", "issuer", "CN"}), gate.identity.issuer_cn);
}

void read_run(const Node& root, Config& config) {
  if (const Node* limit = find_path(root, {"limits", "signatures_per_run"})) {
    config.limits.signatures_per_run.emplace();
    read(limit, *config.limits.signatures_per_run);
  }
  if (const Node* quota = find_path(root, {"limits", "quota"})) {
    for (const Entry& entry : quota->entries) {
      read(&entry.value, config.limits.quota[entry.key]);
    }
  }
  read(root.find("journal"), config.journal);
  if (!config.journal.empty() && config.journal != "off") {
    config.journal = in_folder(config.folder, config.journal);
  }
  read(find_path(root, {"audit", "log"}), config.audit_log);
  read(find_path(root, {"audit", "manifest"}), config.manifest);
  for (std::string* path : {&config.audit_log, &config.manifest}) {
    if (!path->empty()) {
      *path = in_folder(config.folder, *path);
    }
  }
  read(root.find("cache"), config.cache);
  if (!config.cache.empty()) {
    config.cache = in_folder(config.folder, config.cache);
  }
}

Result<std::vector<Step>> read_steps(const Node& root, const std::string& file) {
  std::vector<Step> steps;
  std::set<std::string> names;
  const Node* list = root.find("steps");
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    const Node& node = list->items[i];
    Step step;
    step.origin = {file, node.line, node.column};
    read(node.find("name"), step.name);
    read(node.find("files"), step.files);
    read(node.find("exclude"), step.exclude);
    read(node.find("allow-empty"), step.allow_empty);
    if (!names.insert(step.name).second) {
      return error_at(file,
                      *node.find("name"),
                      "two steps have the name \"" + printable(step.name) + "\"",
                      "`--step` could not tell them apart; rename one");
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<void> check_signer_names(const Node& root, const Config& config) {
  const Node* node = find_path(root, {"sign", "signer"});
  std::vector<std::string> known;
  for (const auto& [name, signer] : config.signers) {
    known.push_back(name);
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < config.sign.signer.size(); ++i) {
    const std::string& name = config.sign.signer[i];
    const Node& place_of = node->kind == NodeKind::sequence ? node->items[i] : *node;
    if (!config.signers.contains(name)) {
      return error_at(
          config.file,
          place_of,
          "sign.signer names \"" + printable(name) + "\", which is not in signers",
          known.empty() ? "add it below signers" : suggestion(name, known, "signers there are"));
    }
    if (!seen.insert(name).second) {
      return error_at(config.file,
                      place_of,
                      "sign.signer names \"" + printable(name) + "\" twice",
                      "a signer cannot be its own fallback");
    }
  }
  return ok();
}

/// A quota of nobody would limit nothing.
Result<void> check_quota_names(const Node& root, const Config& config) {
  const Node* quota = find_path(root, {"limits", "quota"});
  std::vector<std::string> known;
  for (const auto& [name, signer] : config.signers) {
    known.push_back(name);
  }
  for (std::size_t i = 0; quota != nullptr && i < quota->entries.size(); ++i) {
    const Entry& entry = quota->entries[i];
    if (!config.signers.contains(entry.key)) {
      return error_at(
          config.file,
          entry.value,
          "limits.quota names \"" + printable(entry.key) + "\", which is not in signers",
          known.empty() ? "add it below signers"
                        : suggestion(entry.key, known, "signers there are"));
    }
  }
  return ok();
}

/// Rules of trying again that no run could keep.
Result<void> check_retry(const Node& root, const Config& config) {
  const Retry& retry = config.sign.retry;
  const auto at = [&](std::string_view key) { return find_path(root, {"sign", "retry", key}); };
  if (const Node* node = at("deadline"); node != nullptr && retry.deadline.count() <= 0) {
    return error_at(config.file,
                    *node,
                    "sign.retry.deadline must be longer than 0, or no run could do anything",
                    "give the longest time that a run may take, such as 15m");
  }
  if (const Node* node = at("initial"); node != nullptr && retry.initial > retry.max) {
    return error_at(config.file,
                    *node,
                    "sign.retry.initial must not be longer than sign.retry.max",
                    "the first wait is the shortest; sign.retry.max is 30s unless said");
  }
  return ok();
}

void note_defaults(const Section& section, const std::string& path, Origins& origins) {
  for (const KeySpec& spec : section.keys) {
    const std::string key =
        path.empty() ? std::string(spec.key) : path + "." + std::string(spec.key);
    if (spec.type == ValueType::section) {
      note_defaults(*spec.section, key, origins);
    } else if (!spec.fallback.empty()) {
      origins.emplace(key, "default");
    }
  }
}

}  // namespace

Result<Config> parse(std::string_view text, const std::string& file_utf8) {
  Config config;
  config.file = file_utf8;
  config.folder = to_utf8(to_path(file_utf8).parent_path());
  SIGNCTL_TRY(const Node root, read_yaml(text, file_utf8), "");
  SIGNCTL_CHECK(check_document(root, file_utf8, config.origins), "");
  if (const Node* signers = root.find("signers")) {
    SIGNCTL_TRY(config.signers, read_signers(*signers, config, config.origins), "");
  }
  read_sign(root, config.folder, config.sign);
  read_gate(root, config.gate);
  read_run(root, config);
  SIGNCTL_TRY(config.steps, read_steps(root, file_utf8), "");
  SIGNCTL_CHECK(check_signer_names(root, config), "");
  SIGNCTL_CHECK(check_quota_names(root, config), "");
  SIGNCTL_CHECK(check_retry(root, config), "");
  if (config.sign.signer.empty() && config.signers.size() == 1) {
    config.sign.signer.push_back(config.signers.begin()->first);
    config.origins.emplace("sign.signer", "default");
  }
  for (std::size_t i = 0; i < config.steps.size(); ++i) {
    config.origins.emplace("steps[" + std::to_string(i) + "].allow-empty", "default");
  }
  note_defaults(root_section(), "", config.origins);
  return config;
}

Result<Config> load(const std::string& path_utf8) {
  constexpr std::size_t kLimitBytes = 1'000'000;
  SIGNCTL_TRY(const Bytes bytes, read_file(path_utf8, kLimitBytes), "reading the config");
  return parse(as_text(bytes), path_utf8);
}

namespace {

std::optional<std::string> config_in(const std::filesystem::path& folder) {
  for (const char* name : {"signctl.yaml", "signctl.yml", "signctl.json"}) {
    std::error_code failed;
    const auto candidate = folder / name;
    if (std::filesystem::is_regular_file(candidate, failed)) {
      return to_utf8(candidate);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_config(const std::string& start_utf8) {
  std::error_code failed;
  const auto start =
      std::filesystem::absolute(to_path(start_utf8.empty() ? "." : start_utf8), failed);
  if (failed) {
    return std::nullopt;
  }
  std::filesystem::path folder = start.lexically_normal();
  auto found = config_in(folder);
  while (!found && folder.has_relative_path()) {
    folder = folder.parent_path();
    found = config_in(folder);
  }
  return found;
}

}  // namespace signctl::config
