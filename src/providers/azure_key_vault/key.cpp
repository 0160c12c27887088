// SPDX-License-Identifier: Apache-2.0
#include "providers/azure_key_vault/key.hpp"

#include "core/text.hpp"
#include "providers/azure_key_vault/refusal.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::azure_key_vault {
namespace {

constexpr const char* kVersion = "?api-version=7.4";
constexpr const char* kName = "Azure Key Vault";

/// "/keys/NAME/VERSION" of a key's id, if it is at this vault's path.
std::optional<std::string> path_of(const std::string& kid) {
  const std::size_t at = kid.find("/keys/");
  if (at == std::string::npos || kid.find_first_of("?# ", at) != std::string::npos) {
    return std::nullopt;
  }
  return kid.substr(at);
}

std::string with_version(const std::string& collection, const ProviderSettings& settings) {
  std::string path = "/" + collection + "/" +
                     percent_encode(settings.get(collection == "keys" ? "key" : "certificate"));
  const std::string version = settings.get("version");
  return version.empty() ? path : path + "/" + percent_encode(version);
}

Result<void> check_enabled(const Json& json, const std::string& what) {
  const auto attributes = json.is_object() ? json.find("attributes") : json.end();
  if (json.is_object() && attributes != json.end() && attributes->is_object() &&
      attributes->contains("enabled") && (*attributes)["enabled"] == false) {
    return Error{ErrorKind::config,
                 "the " + what + " is disabled",
                 "enable it in the vault, or name another version"};
  }
  return ok();
}

Result<KeyVersion> by_certificate(const Vault& vault, const ProviderSettings& settings) {
  const std::string name = settings.get("certificate");
  Call call;
  call.path = with_version("certificates", settings) + kVersion;
  SIGNCTL_TRY(
      const Reply reply, vault.rest.send(call), "looking up certificate " + printable(name));
  SIGNCTL_CHECK(check_enabled(reply.json, "certificate " + printable(name)), "");
  const auto der = from_any_base64(text_at(reply.json, {"cer"}));
  const auto path = path_of(text_at(reply.json, {"kid"}));
  if (!der || !path) {
    return Error{ErrorKind::provider, "Key Vault answered without a certificate and its key"};
  }
  const auto leaf = crypto::Certificate::parse(*der);
  if (!leaf) {
    return Error{ErrorKind::provider, "Key Vault's certificate " + printable(name) + " is none"};
  }
  // The vault keeps the leaf alone; the issuers come from the file.
  SIGNCTL_TRY(Chain chain, chain_with_file(settings, {*leaf}), "");
  return KeyVersion{*path, name, std::move(chain), reply.server_time, reply.received};
}

Result<KeyVersion> by_key(const Vault& vault, const ProviderSettings& settings) {
  const std::string name = settings.get("key");
  SIGNCTL_TRY(Chain chain, chain_with_file(settings, {}), "");
  Call call;
  call.path = with_version("keys", settings) + kVersion;
  SIGNCTL_TRY(const Reply reply, vault.rest.send(call), "looking up key " + printable(name));
  SIGNCTL_CHECK(check_enabled(reply.json, "key " + printable(name)), "");
  const auto path = path_of(text_at(reply.json, {"key", "kid"}));
  const auto spki = path ? spki_from_jwk(reply.json["key"]) : std::nullopt;
  if (!spki) {
    return Error{ErrorKind::config,
                 "the key " + printable(name) + " is of a kind that does not sign for Windows",
                 "use RSA (2048 to 4096 bits) or EC (P-256, P-384, P-521)"};
  }
  SIGNCTL_CHECK(check_key_of_chain(*spki, chain, name), "");
  return KeyVersion{*path, name, std::move(chain), reply.server_time, reply.received};
}

/// "RS256", "ES384": an EC key signs the digest of its own size alone.
Result<std::string> algorithm_of(const KeyVersion& key, DigestAlg alg) {
  SIGNCTL_TRY(const KeyFamily family, key_family(key.chain.leaf), "");
  const std::string bits(digest_name(alg).substr(3));
  switch (family) {
    case KeyFamily::rsa:
      return "RS" + bits;
    case KeyFamily::p256:
      return bits == "256" ? Result<std::string>("ES256")
                           : digest_not_offered(key.name, alg, "sha256");
    case KeyFamily::p384:
      return bits == "384" ? Result<std::string>("ES384")
                           : digest_not_offered(key.name, alg, "sha384");
    case KeyFamily::p521:
      return bits == "512" ? Result<std::string>("ES512")
                           : digest_not_offered(key.name, alg, "sha512");
  }
  return digest_not_offered(key.name, alg, "nothing");
}

class Key final : public SigningKey {
 public:
  Key(Vault vault, KeyVersion version) : vault_(std::move(vault)), version_(std::move(version)) {}

  [[nodiscard]] const Chain& chain() const override { return version_.chain; }

  [[nodiscard]] Result<void> check_digest(DigestAlg alg) const override {
    SIGNCTL_CHECK(algorithm_of(version_, alg), "");
    return ok();
  }

  Result<Bytes> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_TRY(const std::string algorithm, algorithm_of(version_, alg), "");
    const Call call = post_counted_json(version_.path + "/sign" + kVersion,
                                        {{"alg", algorithm}, {"value", to_base64url(digest)}});
    SIGNCTL_TRY(
        const Reply reply, vault_.rest.send(call), "signing with " + printable(version_.path));
    auto signature = from_any_base64(text_at(reply.json, {"value"}));
    if (!signature || signature->empty()) {
      return no_signature_in_answer("Key Vault");
    }
    return std::move(*signature);
  }

 private:
  Vault vault_;
  KeyVersion version_;
};

}  // namespace

Result<Vault> Vault::open(const ProviderSettings& settings, World world) {
  const std::string url = settings.get("vault_url");
  if (url.empty()) {
    return Error{ErrorKind::config,
                 "azure-key-vault: \"vault_url\" is not set",
                 "write it like https://contoso.vault.azure.net/"};
  }
  if (settings.get("certificate").empty() == settings.get("key").empty()) {
    return Error{ErrorKind::config,
                 R"(azure-key-vault: either "certificate" or "key" must be set)",
                 "certificate names one in the vault; key names a key whose certificate is in the "
                 "chain file"};
  }
  const bool is_hsm = url.find(".managedhsm.") != std::string::npos;
  if (is_hsm && settings.get("key").empty()) {
    return Error{ErrorKind::config,
                 "azure-key-vault: a managed HSM has no certificates",
                 "set key, and chain to a file with the key's certificate"};
  }
  SIGNCTL_TRY(Service service, service_of(settings, kName, url, "vault_url"), "");
  const std::string resource =
      is_hsm ? "https://managedhsm.azure.net" : resource_of_vault(service.base_url);
  SIGNCTL_TRY(auto login, azure::log_in(settings, world, resource), "");
  const std::string vault = service.base_url;
  RestClient rest(world, std::move(service), login, [vault, login](const Reply& reply) {
    return explain(reply, vault, *login);
  });
  return Vault{std::move(login), std::move(rest), is_hsm};
}

Result<KeyVersion> find_key(const Vault& vault, const ProviderSettings& settings) {
  return settings.get("certificate").empty() ? by_key(vault, settings)
                                             : by_certificate(vault, settings);
}

std::shared_ptr<SigningKey> make_key(Vault vault, KeyVersion version) {
  return std::make_shared<Key>(std::move(vault), std::move(version));
}

Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Vault vault, Vault::open(settings, world), "");
  SIGNCTL_TRY(KeyVersion version, find_key(vault, settings), "");
  return make_key(std::move(vault), std::move(version));
}

}  // namespace signctl::providers::azure_key_vault
