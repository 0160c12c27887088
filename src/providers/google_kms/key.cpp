// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/key.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "providers/google_kms/crc32c.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace signctl::providers::google_kms {
namespace {

constexpr std::size_t kMostVersions = 20;  // Public keys looked at before giving up.

/// PKCS#1 v1.5's DigestInfo (RFC 8017, 9.2, note 1), which raw keys are given.
Bytes digest_info(ByteView digest, DigestAlg alg) {
  const auto size = static_cast<std::uint8_t>(digest.size());
  const auto total = static_cast<std::uint8_t>(size + 0x11U);
  const std::uint8_t hash = alg == DigestAlg::sha256 ? 1 : (alg == DigestAlg::sha384 ? 2 : 3);
  Bytes info{0x30,
             total,
             0x30,
             0x0D,
             0x06,
             0x09,
             0x60,
             0x86,
             0x48,
             0x01,
             0x65,
             0x03,
             0x04,
             0x02,
             hash,
             0x05,
             0x00,
             0x04,
             size};
  info.insert(info.end(), digest.begin(), digest.end());
  return info;
}

/// A 64-bit number: text in JSON, but taken as a number too.
std::string number_at(const Json& json, const char* field) {
  const auto found = json.find(field);
  if (found == json.end()) {
    return {};
  }
  return found->is_number_unsigned() ? std::to_string(found->get<std::uint64_t>())
                                     : text_at(json, {field});
}

bool is_true(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

Result<KeyVersion> fetch_version(const KmsClient& client, const std::string& name) {
  SIGNCTL_TRY(const Reply reply,
              client.rest.send(Call{.path = "/" + name + "/publicKey"}),
              "looking up the public key");
  const std::string pem = text_at(reply.json, {"pem"});
  const std::string sum = reply.json.is_object() ? number_at(reply.json, "pemCrc32c") : "";
  auto spki = spki_from_pem(pem);
  if (!spki) {
    return Error{ErrorKind::provider, "Google KMS answered without a public key"};
  }
  if (!sum.empty() && sum != crc32c_text(as_bytes(pem))) {
    return Error{ErrorKind::network, "the public key from Google KMS was damaged on the way"};
  }
  SIGNCTL_TRY(Algorithm algorithm,
              parse_algorithm(text_at(reply.json, {"algorithm"})),
              "looking at " + printable(name));
  return KeyVersion{name,
                    std::move(algorithm),
                    std::move(*spki),
                    text_at(reply.json, {"protectionLevel"}),
                    reply.server_time,
                    reply.received};
}

int number_of(std::string_view version_name) {
  const std::string_view text = version_name.substr(version_name.rfind('/') + 1);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The enabled versions, newest first.
Result<std::vector<std::string>> enabled_versions(const KmsClient& client) {
  std::vector<std::string> names;
  std::string page;
  do {
    const std::string query =
        "?filter=state%3DENABLED" + (page.empty() ? "" : "&pageToken=" + percent_encode(page));
    SIGNCTL_TRY(
        const Reply reply,
        client.rest.send(Call{.path = "/" + client.name.key + "/cryptoKeyVersions" + query}),
        "listing the versions of the key; name one, and nothing is listed");
    page = text_at(reply.json, {"nextPageToken"});
    const auto versions =
        reply.json.is_object() ? reply.json.find("cryptoKeyVersions") : reply.json.end();
    if (!reply.json.is_object() || versions == reply.json.end() || !versions->is_array()) {
      break;
    }
    for (const Json& version : *versions) {
      const std::string name = text_at(version, {"name"});
      if (name.starts_with(client.name.key + "/cryptoKeyVersions/")) {
        names.push_back(name);
      }
    }
  } while (!page.empty() && names.size() < 1000);
  std::sort(names.begin(), names.end(), [](const std::string& one, const std::string& other) {
    return number_of(one) > number_of(other);
  });
  return names;
}

class Key final : public SigningKey {
 public:
  Key(KmsClient client, Chain chain, KeyVersion version)
      : client_(std::move(client)), chain_(std::move(chain)), version_(std::move(version)) {}

  [[nodiscard]] const Chain& chain() const override { return chain_; }

  [[nodiscard]] Result<void> check_digest(DigestAlg alg) const override {
    const Algorithm& algorithm = version_.algorithm;
    if (algorithm.digest && *algorithm.digest != alg) {
      return digest_not_offered(version_.name, alg, algorithm.name);
    }
    return ok();
  }

  Result<Bytes> sign(ByteView digest, DigestAlg alg) override {
    const Call call = post_counted_json("/" + version_.name + ":asymmetricSign",
                                        sign_request_body(version_.algorithm, digest, alg));
    constexpr int kAttempts = 2;  // Each may be counted.
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      SIGNCTL_TRY(
          const Reply reply, client_.rest.send(call), "signing with " + printable(version_.name));
      if (text_at(reply.json, {"signature"}).empty()) {
        return no_signature_in_answer("Google KMS");
      }
      if (auto signature = intact_signature(reply.json, version_)) {
        return std::move(*signature);
      }
      log_verbose("google-kms: an answer was damaged on the way; asking again");
    }
    return Error{ErrorKind::provider,
                 "the answers of Google KMS were damaged on the way (their CRC32C is wrong)",
                 "look for a proxy or gateway that changes them; Google may have counted both "
                 "signatures, so it is not asked again"};
  }

 private:
  KmsClient client_;
  Chain chain_;
  KeyVersion version_;
};

}  // namespace

Result<Algorithm> parse_algorithm(const std::string& name) {
  if (name.starts_with("RSA_SIGN_RAW_PKCS1_")) {
    return Algorithm{name, std::nullopt};
  }
  const bool verifiable = name.starts_with("RSA_SIGN_PKCS1_") || name == "EC_SIGN_P256_SHA256" ||
                          name == "EC_SIGN_P384_SHA384";
  if (verifiable) {
    for (const DigestAlg alg : {DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512}) {
      const std::string bits(digest_name(alg).substr(3));
      if (name.ends_with("_SHA" + bits)) {
        return Algorithm{name, alg};
      }
    }
  }
  return Error{ErrorKind::unsupported,
               "the key signs by " + (name.empty() ? "no algorithm" : printable(name)) +
                   ", which Windows does not verify",
               "make a key with RSA_SIGN_PKCS1_3072_SHA256 or EC_SIGN_P256_SHA256"};
}

Result<KeyVersion> find_version(const KmsClient& client, const Chain& chain) {
  if (!client.name.version.empty()) {
    SIGNCTL_TRY(KeyVersion version, fetch_version(client, client.name.version), "");
    SIGNCTL_CHECK(check_key_of_chain(version.spki, chain, version.name), "");
    return version;
  }
  SIGNCTL_TRY(std::vector<std::string> names, enabled_versions(client), "");
  if (names.empty()) {
    return Error{ErrorKind::config,
                 "the key " + printable(client.name.key) + " has no enabled version",
                 "enable one, or check the name"};
  }
  names.resize(std::min(names.size(), kMostVersions));
  for (const std::string& name : names) {
    SIGNCTL_TRY(KeyVersion version, fetch_version(client, name), "");
    if (is_key_of(version.spki, chain.leaf)) {
      return version;
    }
  }
  return Error{ErrorKind::config,
               "the certificate \"" + chain.leaf.info().subject +
                   "\" was not issued for any enabled version of " + printable(client.name.key),
               "give the certificate that was issued for this key, or the key that it names"};
}

Json sign_request_body(const Algorithm& algorithm, ByteView digest, DigestAlg alg) {
  if (!algorithm.digest) {
    const Bytes info = digest_info(digest, alg);
    return Json{{"data", to_base64(info)}, {"dataCrc32c", crc32c_text(info)}};
  }
  return Json{{"digest", {{std::string(digest_name(alg)), to_base64(digest)}}},
              {"digestCrc32c", crc32c_text(digest)}};
}

std::optional<Bytes> intact_signature(const Json& answer, const KeyVersion& version) {
  if (!answer.is_object() || text_at(answer, {"name"}) != version.name) {
    return std::nullopt;
  }
  const char* verified = version.algorithm.digest ? "verifiedDigestCrc32c" : "verifiedDataCrc32c";
  auto signature = from_any_base64(text_at(answer, {"signature"}));
  if (!is_true(answer, verified) || !signature || signature->empty() ||
      number_at(answer, "signatureCrc32c") != crc32c_text(*signature)) {
    return std::nullopt;
  }
  return signature;
}

std::shared_ptr<SigningKey> make_key(KmsClient client, Chain chain, KeyVersion version) {
  return std::make_shared<Key>(std::move(client), std::move(chain), std::move(version));
}

Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(KmsClient client, make_client(settings, world), "");
  SIGNCTL_TRY(Chain chain, chain_with_file(settings, {}), "");
  SIGNCTL_TRY(KeyVersion version, find_version(client, chain), "");
  return make_key(std::move(client), std::move(chain), std::move(version));
}

}  // namespace signctl::providers::google_kms
