// SPDX-License-Identifier: Apache-2.0
#include "providers/vault/key.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <utility>
#include <vector>

namespace signctl::providers::vault {
namespace {

/// What Vault keeps of one version.
struct Entry {
  int number{};
  Bytes spki;
  std::vector<crypto::Certificate> certificates;
};

int number_in(std::string_view text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : 0;
}

int integer_at(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_number_integer() ? found->get<int>() : 0;
}

Error no_such_kind(const KeyPath& path, const std::string& type) {
  return {ErrorKind::config,
          "the key " + printable(path.name) + " is of type " + printable(type) +
              ", which does not sign for Windows",
          "make one of type rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384 or ecdsa-p521"};
}

/// The versions that may sign, newest first.
Result<std::vector<Entry>> read_entries(const Json& data, const KeyPath& path) {
  const std::string type = text_at(data, {"type"});
  if (!type.starts_with("rsa-") && !type.starts_with("ecdsa-p")) {
    return no_such_kind(path, type);
  }
  std::vector<Entry> entries;
  const auto keys = data.find("keys");
  if (keys == data.end() || !keys->is_object()) {
    return entries;
  }
  const int oldest = integer_at(data, "min_encryption_version");
  for (const auto& [number, value] : keys->items()) {
    Entry entry;
    entry.number = number_in(number);
    const auto spki = spki_from_pem(text_at(value, {"public_key"}));
    if (entry.number == 0 || entry.number < oldest || !spki) {
      continue;
    }
    entry.spki = *spki;
    const std::string chain = text_at(value, {"certificate_chain"});
    if (!chain.empty()) {
      SIGNCTL_TRY(entry.certificates,
                  crypto::read_certificates(as_bytes(chain)),
                  "reading the certificates that Vault keeps with the key");
    }
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& one, const Entry& other) {
    return one.number > other.number;
  });
  return entries;
}

/// `entries` reduced to the version that is asked for.
Result<void> pick_version(const std::string& wanted, std::vector<Entry>& entries) {
  if (wanted.empty()) {
    return ok();
  }
  const int number = number_in(wanted);
  std::erase_if(entries, [&](const Entry& entry) { return entry.number != number; });
  if (number == 0 || entries.empty()) {
    return Error{ErrorKind::config,
                 "vault: the key has no version " + printable(wanted) + " that may sign",
                 "leave key_version out, or check min_encryption_version"};
  }
  return ok();
}

class Key final : public SigningKey {
 public:
  Key(VaultClient client, KeyPath path, KeyVersion version)
      : client_(std::move(client)), path_(std::move(path)), version_(std::move(version)) {}

  [[nodiscard]] const Chain& chain() const override { return version_.chain; }

  Result<Bytes> sign(ByteView digest, DigestAlg alg) override {
    const Call call = post_json("/v1/" + encode_path(path_.operation("sign")),
                                sign_request_body(version_, digest, alg));
    auto answer = client_.call(call);
    if (!answer && answer.error().kind == ErrorKind::auth && has_signed_) {
      answer.error().message = "the Vault token has expired or is used up (403)";
      answer.error().hint =
          "use one that lives longer, or AppRole or JWT, whose tokens signctl renews";
    }
    SIGNCTL_TRY(
        const Reply reply, std::move(answer), "signing with " + printable(path_.operation("sign")));
    has_signed_ = true;
    auto signature = parse_signature(text_at(reply.json, {"data", "signature"}), version_.number);
    if (!signature) {
      return Error{ErrorKind::provider,
                   "Vault answered without a signature by version " +
                       std::to_string(version_.number) + " of the key"};
    }
    return std::move(*signature);
  }

 private:
  VaultClient client_;
  KeyPath path_;
  KeyVersion version_;
  std::atomic<bool> has_signed_{false};  ///< Then a refusal is not about the policy.
};

}  // namespace

Result<KeyPath> key_path(const ProviderSettings& settings) {
  const auto trimmed = [](std::string text) {
    while (text.ends_with('/')) {
      text.pop_back();
    }
    return text.substr(std::min(text.find_first_not_of('/'), text.size()));
  };
  KeyPath path{trimmed(settings.get("mount")), settings.get("key")};
  if (path.mount.empty()) {
    path.mount = "transit";
  }
  if (path.name.empty() || path.name.find('/') != path.name.npos) {
    return Error{
        ErrorKind::config,
        path.name.empty() ? R"(vault: "key" is not set)" : R"(vault: "key" is a name, not a path)",
        "give the name of a transit key; mount says where the engine is"};
  }
  return path;
}

Result<VaultClient> make_client(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Place place, find_place(settings, world), "");
  SIGNCTL_TRY(Login login, choose_login(settings, world, place), "");
  const std::string named = settings.get("auth");
  if (named.empty() || named == "auto") {
    log_info("vault: logging in with " + login.description);
  }
  return VaultClient(world, std::move(place), std::move(login));
}

Result<KeyVersion> find_version(const VaultClient& client,
                                const KeyPath& path,
                                const ProviderSettings& settings) {
  SIGNCTL_TRY(const Reply reply,
              client.call(Call{.path = "/v1/" + encode_path(path.operation("keys"))}),
              "looking up the key " + printable(path.operation("keys")));
  const auto data = reply.json.is_object() ? reply.json.find("data") : reply.json.end();
  if (!reply.json.is_object() || data == reply.json.end() || !data->is_object()) {
    return Error{ErrorKind::provider, "Vault answered without a key"};
  }
  SIGNCTL_TRY(std::vector<Entry> entries, read_entries(*data, path), "");
  SIGNCTL_CHECK(pick_version(settings.get("key_version"), entries), "");
  const bool file = !settings.get("chain").empty();
  std::optional<Chain> seen;
  for (const Entry& entry : entries) {
    if (!file && entry.certificates.empty()) {
      continue;
    }
    SIGNCTL_TRY(seen, chain_with_file(settings, entry.certificates), "");
    if (is_key_of(entry.spki, seen->leaf)) {
      return KeyVersion{entry.number,
                        text_at(*data, {"type"}),
                        std::move(*seen),
                        reply.server_time,
                        reply.received};
    }
  }
  if (!seen) {
    return Error{ErrorKind::config,
                 "vault: there is no certificate for the key " + printable(path.name),
                 "set chain to a file, or keep the chain in Vault with set-certificate"};
  }
  return Error{ErrorKind::config,
               "the certificate \"" + seen->leaf.info().subject +
                   "\" was not issued for any version of the key " + printable(path.name),
               "give the certificate that was issued for this key, or the key that it names"};
}

Json sign_request_body(const KeyVersion& version, ByteView digest, DigestAlg alg) {
  const std::string bits(digest_name(alg).substr(3));
  Json body{{"input", to_base64(digest)},
            {"prehashed", true},
            {"hash_algorithm", "sha2-" + bits},
            {"key_version", version.number}};
  if (version.type.starts_with("rsa-")) {
    body["signature_algorithm"] = "pkcs1v15";  // Vault's default is PSS.
  } else {
    body["marshaling_algorithm"] = "asn1";
  }
  return body;
}

std::optional<Bytes> parse_signature(std::string_view text, int version) {
  const std::string prefix = "vault:v" + std::to_string(version) + ":";
  if (!text.starts_with(prefix)) {
    return std::nullopt;
  }
  auto signature = from_any_base64(text.substr(prefix.size()));
  return signature && !signature->empty() ? signature : std::nullopt;
}

std::shared_ptr<SigningKey> make_key(VaultClient client, KeyPath path, KeyVersion version) {
  return std::make_shared<Key>(std::move(client), std::move(path), std::move(version));
}

Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(KeyPath path, key_path(settings), "");
  SIGNCTL_TRY(VaultClient client, make_client(settings, world), "");
  SIGNCTL_TRY(KeyVersion version, find_version(client, path, settings), "");
  return make_key(std::move(client), std::move(path), std::move(version));
}

}  // namespace signctl::providers::vault
