// SPDX-License-Identifier: Apache-2.0
#include "config/signers.hpp"
#include "core/text.hpp"

#include <charconv>
#include <utility>

namespace signctl::config {
namespace {

Error unknown_provider(ErrorKind kind, const std::string& provider) {
  return {kind,
          "unknown provider \"" + printable(provider) + "\"",
          suggestion(provider, provider_names(), "known providers")};
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
    return Error{
        ErrorKind::usage,
        "provider " + std::string(provider.name()) + " has no setting \"" + printable(key) + "\"",
        suggestion(key, setting_names(provider), "known settings")};
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

Result<Signer> signer_from_flags(const std::string& provider,
                                 const std::vector<std::string>& pairs) {
  const Provider* builtin = find_provider(provider);
  if (builtin == nullptr) {
    return unknown_provider(ErrorKind::usage, provider);
  }
  Signer signer;
  signer.name = "command line";
  signer.provider = provider;
  for (const std::string& pair : pairs) {
    SIGNCTL_CHECK(add_flag(signer, *builtin, pair), "");
  }
  return signer;
}

int max_parallel(const Signer& signer) {
  int limit = 0;
  const auto found = signer.values.find("max_parallel");
  if (found != signer.values.end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), limit);
  }
  return limit;
}

Result<ProviderSettings> resolve(const Signer& signer,
                                 const std::string& folder,
                                 const Environment& environment) {
  const Provider* provider = find_provider(signer.provider);
  if (provider == nullptr) {
    return unknown_provider(ErrorKind::config, signer.provider);
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
