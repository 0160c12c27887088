// SPDX-License-Identifier: Apache-2.0
#include "config/signers.hpp"

#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace signctl::config {
namespace {

/// One signer while it is read: what messages and checks need to know.
struct Reading {
  const std::string& file;
  const std::string& folder;
  std::string path;                   ///< "signers.dev"
  const Provider* provider{nullptr};  ///< Null when this build lacks it.
};

Result<SecretRef> read_reference(const Node& node,
                                 const std::string& path,
                                 const Reading& reading) {
  const Error literal = error_at(reading.file,
                                 node,
                                 path + " must be a reference, not the secret itself",
                                 std::string(kReferenceHint));
  if (node.kind != NodeKind::scalar || !is_secret_reference(node.text)) {
    return literal;
  }
  std::string text = node.text;
  constexpr std::string_view kFile = "file:";
  if (text.starts_with(kFile)) {
    text = std::string(kFile) + in_folder(reading.folder, text.substr(kFile.size()));
  }
  auto reference = SecretRef::parse(text);
  return reference ? std::move(reference) : Result<SecretRef>(literal);
}

Result<std::vector<SecretRef>> read_references(const Node& node,
                                               const std::string& path,
                                               const Reading& reading) {
  std::vector<SecretRef> references;
  if (node.kind != NodeKind::sequence) {
    SIGNCTL_TRY(SecretRef only, read_reference(node, path, reading), "");
    references.push_back(std::move(only));
    return references;
  }
  if (node.items.empty()) {
    return error_at(reading.file, node, path + " must not be an empty list");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    SIGNCTL_TRY(SecretRef next,
                read_reference(node.items[i], path + "[" + std::to_string(i) + "]", reading),
                "");
    references.push_back(std::move(next));
  }
  return references;
}

Error unknown_setting(const Entry& entry, const Reading& reading) {
  std::vector<std::string> known = setting_names(*reading.provider);
  known.emplace_back("provider");
  return {ErrorKind::config,
          place(reading.file, entry.line, entry.column) + "unknown key \"" + printable(entry.key) +
              "\" in " + reading.path + " (provider " + std::string(reading.provider->name()) + ")",
          suggestion(entry.key, known, "known keys")};
}

/// Whether a plain text has a secret inside: the PIN of a PKCS#11 URI (RFC 7512, 2.4), the password
/// of a URL (RFC 3986, 3.2.1). They would be shown as what is not secret.
bool holds_secret(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower.starts_with("pkcs11:")) {
    return lower.find("pin-value=") != lower.npos;
  }
  const std::size_t scheme = text.find("://");
  if (scheme == text.npos) {
    return false;
  }
  const std::string_view rest = text.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  return at != authority.npos && authority.substr(0, at).find(':') != authority.npos;
}

/// Of a provider that this build lacks, any text will do.
Result<void> check_setting(const Entry& entry, const std::string& path, const Reading& reading) {
  SIGNCTL_CHECK(check_text(entry.value, path, reading.file), "");
  if (holds_secret(entry.value.text)) {
    return error_at(reading.file,
                    entry.value,
                    path + " has a PIN or password in it",
                    "leave it out there, and name it by reference in the setting for it");
  }
  const SettingSpec* spec = find_setting(*reading.provider, entry.key);
  if (spec == nullptr) {
    return unknown_setting(entry, reading);
  }
  const bool is_number =
      entry.value.quoting == Quoting::plain && is_setting_number(entry.value.text);
  if (spec->kind == SettingKind::number && !is_number) {
    return error_at(reading.file, entry.value, path + " must be a whole number");
  }
  return ok();
}

Result<std::string> read_provider_name(const Node& node, const Reading& reading) {
  const Node* provider = node.find("provider");
  if (provider == nullptr) {
    return error_at(reading.file,
                    node,
                    reading.path + ".provider is missing",
                    "known providers: " + join(provider_names(), ", "));
  }
  SIGNCTL_CHECK(check_text(*provider, reading.path + ".provider", reading.file), "");
  if (find_provider(provider->text) == nullptr) {
    return error_at(reading.file,
                    *provider,
                    "unknown provider \"" + printable(provider->text) + "\" in " + reading.path,
                    suggestion(provider->text, provider_names(), "known providers"));
  }
  return provider->text;
}

std::string origin_text(const std::string& file, int line, int column) {
  std::string text = place(file, line, column);
  text.resize(text.size() - 2);  // without ": "
  return text;
}

Result<Signer> read_signer(const Entry& entry, const Config& config, Origins& origins) {
  Reading reading{config.file, config.folder, "signers." + printable(entry.key), nullptr};
  if (!is_signer_name(entry.key)) {
    return Error{ErrorKind::config,
                 place(config.file, entry.line, entry.column) + "\"" + printable(entry.key) +
                     "\" cannot be the name of a signer",
                 "use letters, digits, '_', '-' and '.'"};
  }
  if (entry.value.kind != NodeKind::mapping) {
    return error_at(
        config.file, entry.value, reading.path + " must be a mapping of keys to values");
  }
  Signer signer;
  signer.name = entry.key;
  signer.origin = {config.file, entry.line, entry.column};
  SIGNCTL_TRY(signer.provider, read_provider_name(entry.value, reading), "");
  reading.provider = find_provider(signer.provider);
  for (const Entry& setting : entry.value.entries) {
    const std::string path = reading.path + "." + printable(setting.key);
    origins[path] = origin_text(config.file, setting.value.line, setting.value.column);
    if (setting.key == "provider") {
      continue;
    }
    if (is_secret_key(signer.provider, setting.key)) {
      SIGNCTL_TRY(auto references, read_references(setting.value, path, reading), "");
      signer.secrets.emplace(setting.key, std::move(references));
    } else {
      SIGNCTL_CHECK(check_setting(setting, path, reading), "");
      signer.values.emplace(setting.key, setting.value.text);
    }
  }
  return signer;
}

}  // namespace

std::vector<std::string> setting_names(const Provider& provider) {
  std::vector<std::string> names;
  for (const SettingSpec& spec : provider.settings()) {
    names.emplace_back(spec.key);
  }
  return names;
}

const SettingSpec* find_setting(const Provider& provider, std::string_view key) {
  const auto settings = provider.settings();
  const auto found = std::ranges::find(settings, key, &SettingSpec::key);
  return found == settings.end() ? nullptr : &*found;
}

bool is_secret_key(std::string_view provider, std::string_view key) {
  const Provider* const builtin = find_provider(provider);
  const SettingSpec* const spec = builtin == nullptr ? nullptr : find_setting(*builtin, key);
  return spec != nullptr && spec->kind == SettingKind::secret;
}

bool is_setting_number(std::string_view text) {
  constexpr std::size_t kDigits = 9;  // fits every integer type
  return !text.empty() && text.size() <= kDigits && (text == "0" || text.front() != '0') &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string in_folder(const std::string& folder, const std::string& path) {
  const auto wanted = to_path(path);
  return folder.empty() || wanted.is_absolute() ? path : to_utf8(to_path(folder) / wanted);
}

Result<std::map<std::string, Signer>> read_signers(const Node& node,
                                                   const Config& config,
                                                   Origins& origins) {
  std::map<std::string, Signer> signers;
  for (const Entry& entry : node.entries) {
    SIGNCTL_TRY(Signer signer, read_signer(entry, config, origins), "");
    signers.emplace(entry.key, std::move(signer));
  }
  return signers;
}

}  // namespace signctl::config
