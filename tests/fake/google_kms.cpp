// SPDX-License-Identifier: Apache-2.0
#include "fake/google_kms.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/google_tokens.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <algorithm>

namespace signctl::fake {
namespace {

/// Bit by bit, unlike the client's table.
std::string crc32c_text(ByteView bytes) {
  std::uint32_t sum = ~std::uint32_t{0};
  for (const std::uint8_t octet : bytes) {
    sum ^= octet;
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1U) ^ ((sum & 1U) * 0x82F63B78U);
    }
  }
  return std::to_string(~sum);
}

struct KeyFacts {
  std::string kind;  ///< As in Pki.
  std::string algorithm;
};

const std::map<std::string, KeyFacts>& keys() {
  static const std::map<std::string, KeyFacts> table{
      {"rsa2048", {"rsa2048", "RSA_SIGN_PKCS1_2048_SHA256"}},
      {"rsa3072", {"rsa3072", "RSA_SIGN_PKCS1_3072_SHA256"}},
      {"p256", {"p256", "EC_SIGN_P256_SHA256"}},
      {"p384", {"p384", "EC_SIGN_P384_SHA384"}},
      {"rotated", {"rsa2048", "RSA_SIGN_PKCS1_2048_SHA256"}},
      {"raw", {"rsa2048", "RSA_SIGN_RAW_PKCS1_2048"}},
      {"pss", {"rsa2048", "RSA_SIGN_PSS_2048_SHA256"}},
      {"damaged", {"p256", "EC_SIGN_P256_SHA256"}},
      {"ruined", {"p256", "EC_SIGN_P256_SHA256"}},
      {"unverified", {"p256", "EC_SIGN_P256_SHA256"}},
      {"misnamed", {"p256", "EC_SIGN_P256_SHA256"}},
  };
  return table;
}

/// A version that a path names.
struct Version {
  std::string name;
  std::string key;
  int number{};
  KeyFacts facts;
};

DigestAlg digest_of(const std::string& algorithm) {
  return algorithm.ends_with("SHA384") ? DigestAlg::sha384 : DigestAlg::sha256;
}

class GoogleKms final : public Personality {
 public:
  explicit GoogleKms(Lab& lab) : lab_(lab), tokens_(lab) {}

  Response handle(const Request& request) override {
    if (auto answer = tokens_.handle(request)) {
      return *answer;
    }
    if (!request.path.starts_with("/v1/")) {
      return google_error(404, "NOT_FOUND", "no such path");
    }
    const auto caller = tokens_.caller(request);
    if (!caller) {
      return google_error(401,
                          "UNAUTHENTICATED",
                          "Request had invalid authentication credentials. Expected OAuth 2 access "
                          "token, login cookie or other valid authentication credential.");
    }
    return kms(request, *caller);
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"key", google::version_name("rsa3072")},
            {"endpoint", base_url},
            {"token", google::kToken}};
  }

 private:
  Response kms(const Request& request, const GoogleCaller& caller) {
    const std::string resource = request.path.substr(4);
    const std::size_t colon = resource.rfind(':');
    const std::string verb = colon == std::string::npos ? "" : resource.substr(colon + 1);
    const std::string name = resource.substr(0, colon);
    if (request.method == "POST" && verb == "asymmetricSign") {
      return sign(request, caller, name);
    }
    if (request.method == "POST" && verb == "testIamPermissions") {
      return permissions(request, caller, name);
    }
    constexpr std::string_view kPublicKey = "/publicKey";
    if (request.method == "GET" && name.ends_with(kPublicKey)) {
      return public_key(name.substr(0, name.size() - kPublicKey.size()));
    }
    constexpr std::string_view kVersions = "/cryptoKeyVersions";
    if (request.method == "GET" && name.ends_with(kVersions)) {
      return versions(request, name.substr(0, name.size() - kVersions.size()));
    }
    return google_error(404, "NOT_FOUND", "no such method");
  }

  static Response not_found(const std::string& name) {
    return google_error(404, "NOT_FOUND", "CryptoKeyVersion " + name + " not found.");
  }

  static std::optional<Version> find_version(const std::string& name) {
    for (const auto& [key, facts] : keys()) {
      for (int number = 1; number <= (key == "rotated" ? 3 : 1); ++number) {
        if (name == google::version_name(key, number)) {
          return Version{name, key, number, facts};
        }
      }
    }
    return std::nullopt;
  }

  static Response precondition(const Version& version) {
    Json detail{{"@type", "type.googleapis.com/google.rpc.PreconditionFailure"},
                {"violations", {{{"type", "KEY_DISABLED"}, {"subject", version.name}}}}};
    Json body{{"error",
               {{"code", 400},
                {"message", version.name + " is not enabled, current state is: DISABLED."},
                {"status", "FAILED_PRECONDITION"}}}};
    body["error"]["details"] = Json::array({detail});
    return json_response(400, body);
  }

  /// The second version of the rotated key is another generation than the first.
  const crypto::KeyBundle& signer(const Version& version) {
    return version.number == 2 ? lab_.pki().signer(version.facts.kind, 1)
                               : lab_.signer(version.facts.kind);
  }

  Response public_key(const std::string& name) {
    const auto version = find_version(name);
    if (!version) {
      return not_found(name);
    }
    if (version->number == 3) {
      return precondition(*version);
    }
    const auto& shown = version->number == 2 ? signer(*version) : lab_.shown(version->facts.kind);
    const std::string pem = public_key_pem(shown.chain.front());
    return json_response(200,
                         {{"pem", pem},
                          {"algorithm", version->facts.algorithm},
                          {"pemCrc32c", crc32c_text(as_bytes(pem))},
                          {"name", version->name},
                          {"protectionLevel", "HSM"}});
  }

  static Response versions(const Request& request, const std::string& key_name) {
    const auto filter = request.query.find("filter");
    if (filter == request.query.end() || filter->second != "state=ENABLED") {
      return google_error(400, "INVALID_ARGUMENT", "this fake knows the filter state=ENABLED");
    }
    Json list = Json::array();
    for (const auto& [key, facts] : keys()) {
      if (key_name != google::key_name(key)) {
        continue;
      }
      for (int number = 1; number <= (key == "rotated" ? 2 : 1); ++number) {
        list.push_back({{"name", google::version_name(key, number)},
                        {"state", "ENABLED"},
                        {"algorithm", facts.algorithm},
                        {"protectionLevel", "HSM"}});
      }
    }
    if (list.empty()) {
      return google_error(404, "NOT_FOUND", "CryptoKey " + key_name + " not found.");
    }
    return json_response(200, {{"cryptoKeyVersions", list}, {"totalSize", list.size()}});
  }

  static Response permissions(const Request& request,
                              const GoogleCaller& caller,
                              const std::string& name) {
    const Json body = Json::parse(request.body, nullptr, false);
    const bool known = std::any_of(keys().begin(), keys().end(), [&](const auto& key) {
      return name == google::key_name(key.first);
    });
    if (!known || !body.is_object() || !unknown_field(body, {"permissions"}).empty()) {
      return google_error(400, "INVALID_ARGUMENT", "bad resource or body");
    }
    Json granted = Json::object();
    if (caller.may_sign) {
      granted["permissions"] = body["permissions"];
    }
    return json_response(200, granted);
  }

  Response sign(const Request& request, const GoogleCaller& caller, const std::string& name) {
    const auto version = find_version(name);
    if (!version) {
      return not_found(name);
    }
    if (!caller.may_sign) {
      return google_error(403,
                          "PERMISSION_DENIED",
                          "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied on resource '" +
                              name + "' (or it may not exist).");
    }
    if (version->number == 3) {
      return precondition(*version);
    }
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.header("content-type") != "application/json" || !body.is_object()) {
      return google_error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
    }
    return version->key == "raw" ? sign_raw(*version, body) : sign_digest(*version, body);
  }

  Response sign_digest(const Version& version, const Json& body) {
    const DigestAlg alg = digest_of(version.facts.algorithm);
    const std::string member(digest_name(alg));
    const std::string field = unknown_field(body, {"digest", "digestCrc32c"});
    const bool shaped = body.contains("digest") && body["digest"].is_object() &&
                        body["digest"].size() == 1 && body["digest"].contains(member) &&
                        body["digest"][member].is_string();
    if (!field.empty() || !shaped) {
      return google_error(
          400,
          "INVALID_ARGUMENT",
          "The digest type does not match the algorithm " + version.facts.algorithm + " " + field);
    }
    const auto digest = strict_base64(body["digest"][member].get<std::string>());
    if (!digest || digest->size() != digest_size(alg)) {
      return google_error(400, "INVALID_ARGUMENT", "The digest has the wrong length.");
    }
    if (!body.contains("digestCrc32c") || body["digestCrc32c"] != crc32c_text(*digest)) {
      return google_error(
          400, "INVALID_ARGUMENT", "The checksum in field digest_crc32c did not match the data.");
    }
    const Bytes signature = version.key == "pss"
                                ? test::must(signer(version).key.sign_digest_pss(*digest, alg))
                                : lab_.sign(signer(version), *digest, alg);
    return answer(version, signature, "verifiedDigestCrc32c");
  }

  /// Raw keys are given the DigestInfo, whose last bytes are the digest.
  Response sign_raw(const Version& version, const Json& body) {
    const std::string field = unknown_field(body, {"data", "dataCrc32c"});
    const auto data = strict_base64(body.value("data", ""));
    if (!field.empty() || !data || body.value("dataCrc32c", "") != crc32c_text(*data)) {
      return google_error(400, "INVALID_ARGUMENT", "raw keys sign data with its checksum");
    }
    struct Kind {
      DigestAlg alg;
      std::string prefix;
    };
    for (const Kind& kind : {Kind{DigestAlg::sha256, "3031300d060960864801650304020105000420"},
                             Kind{DigestAlg::sha384, "3041300d060960864801650304020205000430"},
                             Kind{DigestAlg::sha512, "3051300d060960864801650304020305000440"}}) {
      const std::string hex = to_hex(*data);
      if (hex.starts_with(kind.prefix) &&
          hex.size() == kind.prefix.size() + 2 * digest_size(kind.alg)) {
        const Bytes digest = *from_hex(hex.substr(kind.prefix.size()));
        return answer(version, lab_.sign(signer(version), digest, kind.alg), "verifiedDataCrc32c");
      }
    }
    return google_error(400, "INVALID_ARGUMENT", "this fake signs a DigestInfo and nothing else");
  }

  Response answer(const Version& version, const Bytes& signature, const char* verified) {
    std::string sum = crc32c_text(signature);
    const bool damage =
        version.key == "ruined" || (version.key == "damaged" && ++damaged_ % 2 == 1);
    if (damage) {
      sum = crc32c_text(as_bytes(sum));
    }
    return json_response(200,
                         {{"signature", to_base64(signature)},
                          {"signatureCrc32c", sum},
                          {verified, version.key != "unverified"},
                          {"name", version.name + (version.key == "misnamed" ? "0" : "")},
                          {"protectionLevel", "HSM"}});
  }

  Lab& lab_;
  GoogleTokens tokens_;
  int damaged_{0};
};

}  // namespace

namespace google {

std::string key_name(const std::string& kind) {
  return std::string(kRing) + "/cryptoKeys/" + kind;
}

std::string version_name(const std::string& kind, int version) {
  return key_name(kind) + "/cryptoKeyVersions/" + std::to_string(version);
}

}  // namespace google

std::unique_ptr<Personality> make_google_kms(Lab& lab);
std::unique_ptr<Personality> make_google_kms(Lab& lab) {
  return std::make_unique<GoogleKms>(lab);
}

}  // namespace signctl::fake
