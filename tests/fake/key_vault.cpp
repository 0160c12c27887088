// SPDX-License-Identifier: Apache-2.0
// Certificates and keys are named as the kinds of Pki; "disabled" is a key that may not sign.
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "fake/azure.hpp"
#include "fake/kms_wire.hpp"

#include <algorithm>
#include <set>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

namespace signctl::fake {
namespace {

constexpr const char* kResource = "https://vault.azure.net";
constexpr const char* kVersionId = "0123456789abcdef0123456789abcdef";

const std::set<std::string>& kinds() {
  static const std::set<std::string> known{"rsa2048", "rsa3072", "p256", "p384", "p521"};
  return known;
}

Response error(int status, const std::string& code, const std::string& message) {
  return json_response(status, {{"error", {{"code", code}, {"message", message}}}});
}

std::string url_text(ByteView bytes) {
  std::string text = to_base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

std::string number_of(const crypto::PrivateKey& key, const char* name, int size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key.pkey(), name, &raw) != 1) {
    return {};
  }
  const std::unique_ptr<BIGNUM, FreeNumber> number(raw);
  Bytes bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(number.get()) : size));
  BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(bytes.size()));
  return url_text(bytes);
}

int field_size(const crypto::PrivateKey& key) {
  return (key.facts().bits + 7) / 8;
}

Json jwk_of(const crypto::PrivateKey& key, const std::string& kid) {
  Json jwk{{"kid", kid}, {"key_ops", Json::array({"sign", "verify"})}};
  if (key.facts().type == crypto::KeyType::rsa) {
    jwk["kty"] = "RSA-HSM";
    jwk["n"] = number_of(key, OSSL_PKEY_PARAM_RSA_N, 0);
    jwk["e"] = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0);
  } else {
    jwk["kty"] = "EC-HSM";
    jwk["crv"] = key.facts().curve;
    jwk["x"] = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, field_size(key));
    jwk["y"] = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, field_size(key));
  }
  return jwk;
}

/// r||s of an Ecdsa-Sig-Value, as Key Vault gives it.
Bytes raw_signature(ByteView der, int size) {
  Bytes raw;
  ByteView rest = der.subspan(2);
  if (der[1] == 0x81) {
    rest = der.subspan(3);
  }
  for (int i = 0; i < 2; ++i) {
    ByteView number = rest.subspan(2, rest[1]);
    rest = rest.subspan(2 + number.size());
    while (number.size() > static_cast<std::size_t>(size)) {
      number = number.subspan(1);
    }
    raw.resize(raw.size() + static_cast<std::size_t>(size) - number.size());
    raw.insert(raw.end(), number.begin(), number.end());
  }
  return raw;
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

class KeyVault final : public Personality {
 public:
  explicit KeyVault(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    const auto claims = azure::caller(request, lab_, kResource);
    if (!claims) {
      Response challenge = error(401,
                                 "Unauthorized",
                                 request.header("authorization").empty()
                                     ? "AKV10000: Request is missing a Bearer or PoP token."
                                     : "AKV10022: Invalid audience.");
      challenge.headers["www-authenticate"] =
          "Bearer authorization=\"https://login.microsoftonline.com/" +
          std::string(azure::kTenant) + "\", resource=\"https://vault.azure.net\"";
      return challenge;
    }
    const auto version = request.query.find("api-version");
    if (version == request.query.end() || version->second != "7.4") {
      return error(400, "BadParameter", "api-version must be specified");
    }
    if ((*claims)["appid"] != azure::kClient) {
      return json_response(403,
                           {{"error",
                             {{"code", "Forbidden"},
                              {"message", "Caller is not authorized to perform action"},
                              {"innererror", {{"code", "ForbiddenByRbac"}}}}}});
    }
    const auto parts = split(request.path);
    if (parts.size() < 2 || (parts.size() > 2 && parts[2] != kVersionId) ||
        (!kinds().contains(parts[1]) && parts[1] != "disabled")) {
      return error(404, "KeyNotFound", "was not found in this key vault");
    }
    return serve(request, parts);
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"vault_url", base_url + "/"},
            {"certificate", "rsa3072"},
            {"auth", "client-secret"},
            {"authority", base_url.substr(0, base_url.rfind('/')) + "/entra"},
            {"tenant_id", azure::kTenant},
            {"client_id", azure::kClient},
            {"client_secret", azure::kClientSecret}};
  }

 private:
  static std::string kid(const Request& request, const std::string& name) {
    return request.base_url + "/keys/" + name + "/" + kVersionId;
  }

  Response serve(const Request& request, const std::vector<std::string>& parts) {
    const std::string& name = parts[1];
    if (request.method == "GET" && parts[0] == "certificates" && parts.size() <= 3) {
      const crypto::KeyBundle& shown = lab_.shown(name == "disabled" ? "p256" : name);
      return json_response(200,
                           {{"id", request.base_url + "/certificates/" + name},
                            {"kid", kid(request, name)},
                            {"cer", to_base64(shown.chain.front().der())},
                            {"attributes", {{"enabled", name != "disabled"}}}});
    }
    if (request.method == "GET" && parts[0] == "keys" && parts.size() <= 3) {
      const crypto::KeyBundle& signer = lab_.signer(name == "disabled" ? "p256" : name);
      return json_response(200,
                           {{"key", jwk_of(signer.key, kid(request, name))},
                            {"attributes", {{"enabled", name != "disabled"}}}});
    }
    if (request.method == "POST" && parts[0] == "keys" && parts.size() == 4 && parts[3] == "sign") {
      return sign(request, name);
    }
    return error(404, "NotFound", "no such route");
  }

  static std::optional<DigestAlg> digest_of(const std::string& algorithm,
                                            const crypto::KeyFacts& key) {
    const std::string bits = algorithm.size() == 5 ? algorithm.substr(2) : "";
    const std::string family = algorithm.substr(0, 2);
    const bool fits =
        key.type == crypto::KeyType::rsa
            ? family == "RS"
            : family == "ES" && bits == (key.bits == 521 ? "512" : std::to_string(key.bits));
    return fits ? find_digest_alg("sha" + bits) : std::nullopt;
  }

  Response sign(const Request& request, const std::string& name) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.header("content-type") != "application/json" || !body.is_object() ||
        !unknown_field(body, {"alg", "value"}).empty()) {
      return error(400, "BadParameter", "the body is not what was expected");
    }
    if (name == "disabled") {
      return json_response(403,
                           {{"error",
                             {{"code", "Forbidden"},
                              {"message", "Operation sign is not allowed on a disabled key"},
                              {"innererror", {{"code", "KeyDisabled"}}}}}});
    }
    const crypto::KeyBundle& signer = lab_.signer(name);
    const auto alg = digest_of(body.value("alg", ""), signer.key.facts());
    std::string value = body.value("value", "");
    if (!alg || value.find_first_of("+/=") != std::string::npos) {
      return error(400, "BadParameter", "Property has invalid value");
    }
    std::replace(value.begin(), value.end(), '-', '+');
    std::replace(value.begin(), value.end(), '_', '/');
    value.resize((value.size() + 3) / 4 * 4, '=');
    const auto digest = from_base64(value);
    if (!digest || digest->size() != digest_size(*alg)) {
      return error(400, "BadParameter", "Invalid length of 'value'");
    }
    Bytes signature = lab_.sign(signer, *digest, *alg);
    if (signer.key.facts().type == crypto::KeyType::ec) {
      signature = raw_signature(signature, field_size(signer.key));
    }
    return json_response(200, {{"kid", kid(request, name)}, {"value", url_text(signature)}});
  }

  Lab& lab_;
};

}  // namespace

std::unique_ptr<Personality> make_key_vault(Lab& lab) {
  return std::make_unique<KeyVault>(lab);
}

}  // namespace signctl::fake
