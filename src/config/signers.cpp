// SPDX-License-Identifier: Apache-2.0
#include "config/signers.hpp"

#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace signctl::config {
namespace {

constexpr std::string_view kReferenceHint = "use env:NAME, file:PATH, exec:COMMAND or stdin";

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

Result<void> check_setting(const Entry& entry, const std::string& path, const Reading& reading) {
  if (reading.provider != nullptr) {
    const SettingSpec* spec = find_setting(*reading.provider, entry.key);
    if (spec == nullptr) {
      std::vector<std::string> known{"provider"};
      for (const SettingSpec& setting : reading.provider->settings()) {
        known.emplace_back(setting.key);
      }
      return Error{ErrorKind::config,
                   place(reading.file, entry.line, entry.column) + "unknown key \"" +
                       printable(entry.key) + "\" in " + reading.path + " (provider " +
                       std::string(reading.provider->name()) + ")",
                   suggestion(entry.key, known, "known keys")};
    }
    if (spec->kind == SettingKind::number && entry.value.kind == NodeKind::scalar &&
        (entry.value.quoting == Quoting::quoted || !is_setting_number(entry.value.text))) {
      return error_at(reading.file, entry.value, path + " must be a whole number");
    }
  }
  return check_text(entry.value, path, reading.file);
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
  if (find_provider(provider->text) == nullptr && find_known_provider(provider->text) == nullptr) {
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

Error not_in_this_build(const std::string& provider) {
  std::vector<std::string> names;
  for (const Provider* builtin : builtin_providers()) {
    names.emplace_back(builtin->name());
  }
  return {ErrorKind::unsupported,
          "provider '" + printable(provider) + "' is not part of this build",
          "this build has: " + join(names, ", ")};
}

Result<void> add_flag(Signer& signer, const Provider& provider, const std::string& pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
    // Only the key, if there is one: the rest may be a secret.
    return Error{ErrorKind::usage,
                 "-p needs key=value" +
                     (equals == std::string::npos || equals == 0
                          ? std::string()
                          : ", and \"" + printable(pair.substr(0, equals)) + "\" has no value"),
                 "for example -p file=dev.pfx"};
  }
  const std::string key = pair.substr(0, equals);
  const std::string value = pair.substr(equals + 1);
  const SettingSpec* spec = find_setting(provider, key);
  if (spec == nullptr) {
    std::vector<std::string> known;
    for (const SettingSpec& setting : provider.settings()) {
      known.emplace_back(setting.key);
    }
    return Error{
        ErrorKind::usage,
        "provider " + std::string(provider.name()) + " has no setting \"" + printable(key) + "\"",
        suggestion(key, known, "known settings")};
  }
  if (spec->kind == SettingKind::secret) {
    auto reference = SecretRef::parse(value);
    if (!reference) {
      return Error{ErrorKind::usage,
                   "-p " + key + " must be a reference, not the secret itself",
                   std::string(kReferenceHint)};
    }
    signer.secrets[key].push_back(std::move(reference).value());
    return ok();
  }
  if (spec->kind == SettingKind::number && !is_setting_number(value)) {
    return Error{ErrorKind::usage, "-p " + key + " must be a whole number"};
  }
  if (!signer.values.emplace(key, value).second) {
    return Error{ErrorKind::usage, "-p " + key + " is given twice"};
  }
  return ok();
}

/// Where a missing setting may be put, for hints.
std::string how_to_set(const Signer& signer, const SettingSpec& spec) {
  const std::string key(spec.key);
  std::string hint = signer.origin.line == 0 ? "give -p " + key + "=..."
                                             : "set signers." + signer.name + "." + key;
  return spec.environment.empty() ? hint : hint + " or " + std::string(spec.environment);
}

Result<void> resolve_secret(const SettingSpec& spec,
                            const Signer& signer,
                            const Environment& environment,
                            ProviderSettings& settings) {
  const auto given = signer.secrets.find(std::string(spec.key));
  if (given != signer.secrets.end()) {
    SIGNCTL_TRY(Secret secret,
                resolve_first(given->second, environment),
                "resolving " + std::string(spec.key) + " of signer \"" + signer.name + "\"");
    settings.secrets.emplace(spec.key, std::move(secret));
  } else if (auto fallback =
                 spec.environment.empty() ? std::nullopt : environment.get(spec.environment)) {
    settings.secrets.emplace(spec.key, Secret(*std::move(fallback)));
  }
  return ok();
}

void resolve_value(const SettingSpec& spec,
                   const Signer& signer,
                   const std::string& folder,
                   const Environment& environment,
                   ProviderSettings& settings) {
  const auto given = signer.values.find(std::string(spec.key));
  if (given != signer.values.end()) {
    const bool is_path = spec.kind == SettingKind::path;
    settings.values.emplace(spec.key, is_path ? in_folder(folder, given->second) : given->second);
  } else if (auto fallback =
                 spec.environment.empty() ? std::nullopt : environment.get(spec.environment)) {
    // A path in the environment is relative to where the user stands, not to the config.
    settings.values.emplace(spec.key, *std::move(fallback));
  }
}

}  // namespace

const SettingSpec* find_setting(const Provider& provider, std::string_view key) {
  const auto settings = provider.settings();
  const auto found = std::ranges::find(settings, key, &SettingSpec::key);
  return found == settings.end() ? nullptr : &*found;
}

bool is_secret_key(std::string_view provider, std::string_view key) {
  if (const Provider* builtin = find_provider(provider)) {
    const SettingSpec* spec = find_setting(*builtin, key);
    return spec != nullptr && spec->kind == SettingKind::secret;
  }
  const KnownProvider* known = find_known_provider(provider);
  return known != nullptr && known->has_secret(key);
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

Result<Signer> signer_from_flags(const std::string& provider,
                                 const std::vector<std::string>& pairs) {
  const Provider* builtin = find_provider(provider);
  if (builtin == nullptr && find_known_provider(provider) != nullptr) {
    return not_in_this_build(provider);
  }
  if (builtin == nullptr) {
    return Error{ErrorKind::usage,
                 "unknown provider \"" + printable(provider) + "\"",
                 suggestion(provider, provider_names(), "known providers")};
  }
  Signer signer;
  signer.name = "command line";
  signer.provider = provider;
  for (const std::string& pair : pairs) {
    SIGNCTL_CHECK(add_flag(signer, *builtin, pair), "");
  }
  return signer;
}

Result<ProviderSettings> resolve(const Signer& signer,
                                 const std::string& folder,
                                 const Environment& environment) {
  const Provider* provider = find_provider(signer.provider);
  if (provider == nullptr) {
    return not_in_this_build(signer.provider);
  }
  ProviderSettings settings;
  for (const SettingSpec& spec : provider->settings()) {
    const std::string key(spec.key);
    if (spec.kind == SettingKind::secret) {
      SIGNCTL_CHECK(resolve_secret(spec, signer, environment, settings), "");
    } else {
      resolve_value(spec, signer, folder, environment, settings);
    }
    if (spec.required && !settings.values.contains(key) && !settings.secrets.contains(key)) {
      return Error{ErrorKind::config,
                   "signer \"" + signer.name + "\" has no " + key,
                   how_to_set(signer, spec)};
    }
  }
  return settings;
}

}  // namespace signctl::config
