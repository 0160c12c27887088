// SPDX-License-Identifier: Apache-2.0
#include "fake/vault.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace signctl::fake {
namespace {

constexpr const char* kIssuerKey = "rsa2048";

Response vault_error(int status, const std::string& text) {
  Json errors = Json::array();
  if (!text.empty()) {
    errors.push_back(text);
  }
  return json_response(status, {{"errors", errors}});
}

Response vault_answer(const Json& data) {
  return json_response(200,
                       {{"request_id", "fake"},
                        {"lease_id", ""},
                        {"renewable", false},
                        {"lease_duration", 0},
                        {"data", data},
                        {"wrap_info", nullptr},
                        {"warnings", nullptr},
                        {"auth", nullptr}});
}

struct Token {
  std::optional<TimePoint> expires{};
  int uses{0};  ///< 0: any number.
  bool may_sign{true};
  bool from_login{false};
};

struct TransitKey {
  std::string kind;  ///< As in Pki.
  std::string type;
  int versions{1};
  int oldest{0};  ///< min_encryption_version
  bool keeps_chain{false};
};

const std::map<std::string, TransitKey>& keys() {
  static const std::map<std::string, TransitKey> table{
      {"rsa2048", {"rsa2048", "rsa-2048"}},
      {"rsa3072", {"rsa3072", "rsa-3072"}},
      {"p256", {"p256", "ecdsa-p256"}},
      {"p384", {"p384", "ecdsa-p384"}},
      {"p521", {"p521", "ecdsa-p521"}},
      {"stored", {"p256", "ecdsa-p256", 1, 0, true}},
      {"rotated", {"rsa2048", "rsa-2048", 2}},
      {"retired", {"rsa2048", "rsa-2048", 2, 2}},
      {"symmetric", {"", "aes256-gcm96"}},
  };
  return table;
}

std::optional<DigestAlg> digest_of(const std::string& name) {
  static const std::map<std::string, DigestAlg> table{{"sha2-256", DigestAlg::sha256},
                                                      {"sha2-384", DigestAlg::sha384},
                                                      {"sha2-512", DigestAlg::sha512}};
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

class Vault final : public Personality {
 public:
  explicit Vault(Lab& lab) : lab_(lab) {
    tokens_[hashicorp::kToken] = {};
    tokens_[hashicorp::kReaderToken].may_sign = false;
    tokens_[hashicorp::kWeekToken].expires = lab.now() + std::chrono::days{7};
  }

  Response handle(const Request& request) override {
    const std::string vault_namespace = request.header("x-vault-namespace");
    if (request.header("x-vault-request") != "true") {
      return vault_error(412, "missing required request header X-Vault-Request");
    }
    if (!request.path.starts_with("/v1/") ||
        (!vault_namespace.empty() && vault_namespace != hashicorp::kNamespace)) {
      return vault_error(404, "no handler for route");
    }
    const std::string path = request.path.substr(4);
    if (path == "auth/approle/login" || path == "auth/jwt/login" ||
        path == "auth/jwt-github/login") {
      return login(request, path);
    }
    const auto token = use_token(request.header("x-vault-token"));
    return token ? serve(request, path, *token)
                 : vault_error(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token");
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"address", base_url}, {"key", "rsa3072"}, {"token", hashicorp::kToken}};
  }

 private:
  /// A token that is good; each use counts.
  std::optional<Token> use_token(const std::string& text) {
    const auto found = tokens_.find(text);
    if (found == tokens_.end() || (found->second.expires && *found->second.expires <= lab_.now())) {
      return std::nullopt;
    }
    const Token token = found->second;
    if (found->second.uses > 0 && --found->second.uses == 0) {
      tokens_.erase(found);
    }
    return token;
  }

  // --- Logins --------------------------------------------------------------------------------

  Response login(const Request& request, const std::string& path) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (request.method != "POST" || request.header("content-type") != "application/json" ||
        !body.is_object()) {
      return vault_error(400, "failed to parse JSON input");
    }
    return path == "auth/approle/login" ? by_approle(body) : by_jwt(body);
  }

  Response by_approle(const Json& body) {
    const std::string field = unknown_field(body, {"role_id", "secret_id"});
    const std::string role = body.value("role_id", "");
    const bool known = role == hashicorp::kRoleId || role == hashicorp::kFrugalRoleId;
    if (!field.empty() || !known || !use_secret_id(body.value("secret_id", ""))) {
      return vault_error(400, "invalid role or secret ID");
    }
    return issue(role == hashicorp::kFrugalRoleId ? 2 : 0);
  }

  /// Whether it is good; each use counts.
  bool use_secret_id(const std::string& text) {
    return text == hashicorp::kSecretId || single_use_secret_ids_.erase(text) > 0;
  }

  Response by_jwt(const Json& body) {
    const std::string field = unknown_field(body, {"role", "jwt"});
    if (!field.empty() || body.value("role", "") != hashicorp::kJwtRole) {
      return vault_error(400, "role \"" + body.value("role", "") + "\" could not be found");
    }
    const auto claims =
        verified_claims(body.value("jwt", ""), lab_.pki().signer(kIssuerKey).chain.front());
    if (!claims || claims->value("exp", std::int64_t{0}) <= lab_.now().time_since_epoch().count()) {
      return vault_error(400, "error validating token: error verifying token signature");
    }
    if (claims->value("aud", "") != hashicorp::kAudience) {
      return vault_error(400, "error validating token: invalid audience (aud) claim");
    }
    return issue(0);
  }

  Response issue(int uses) {
    constexpr std::chrono::minutes kLife{20};
    const std::string text = new_secret("hvs.");
    tokens_[text] = {lab_.now() + kLife, uses, true, true};
    const Json auth{{"client_token", text},
                    {"accessor", "fake"},
                    {"policies", {"default", "codesign"}},
                    {"lease_duration", std::chrono::seconds{kLife}.count()},
                    {"num_uses", uses},
                    {"renewable", true},
                    {"token_type", "service"}};
    Json body{{"request_id", "fake"}, {"data", nullptr}};
    body["auth"] = auth;
    return json_response(200, body);
  }

  // --- What needs a token ----------------------------------------------------------------------

  Response serve(const Request& request, const std::string& path, const Token& token) {
    if (path == "auth/token/lookup-self" && request.method == "GET") {
      return lookup(token);
    }
    if (path == "sys/capabilities-self" && request.method == "POST") {
      return capabilities(request, token);
    }
    constexpr std::string_view kKeys = "transit/keys/";
    if (path.starts_with(kKeys) && request.method == "GET") {
      return read_key(path.substr(kKeys.size()));
    }
    constexpr std::string_view kSign = "transit/sign/";
    if (path.starts_with(kSign) && request.method == "POST") {
      return token.may_sign ? sign(request, path.substr(kSign.size()))
                            : vault_error(403, "1 error occurred:\n\t* permission denied\n\n");
    }
    return vault_error(404, "no handler for route \"" + path + "\"");
  }

  Response lookup(const Token& token) {
    Json data{{"path", token.from_login ? "auth/approle/login" : "auth/token/create"},
              {"num_uses", std::max(token.uses - 1, 0)},
              {"ttl", 0},
              {"policies", {"default", "codesign"}}};
    if (token.expires) {
      data["ttl"] = (*token.expires - lab_.now()).count();
    }
    return vault_answer(data);
  }

  static Response capabilities(const Request& request, const Token& token) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("paths") || !unknown_field(body, {"paths"}).empty() ||
        body["paths"].size() != 1) {
      return vault_error(400, "paths is missing");
    }
    const std::string path = body["paths"].front();
    const bool sign = path.starts_with("transit/sign/") && token.may_sign;
    const Json granted = Json::array({sign ? "update" : "deny"});
    return vault_answer({{path, granted}, {"capabilities", granted}});
  }

  const crypto::KeyBundle& signer(const TransitKey& key, int version) {
    return version == 2 ? lab_.pki().signer(key.kind, 1) : lab_.signer(key.kind);
  }

  Response read_key(const std::string& name) {
    const auto found = keys().find(name);
    if (found == keys().end()) {
      return vault_error(404, "");
    }
    const TransitKey& key = found->second;
    Json versions = Json::object();
    for (int version = 1; version <= key.versions; ++version) {
      if (key.kind.empty()) {
        versions["1"] = 1'700'000'000;
        continue;
      }
      const auto& shown = version == 1 ? lab_.shown(key.kind) : signer(key, version);
      Json entry{{"name", key.type},
                 {"public_key", public_key_pem(shown.chain.front())},
                 {"creation_time", "2026-01-01T00:00:00Z"}};
      if (key.keeps_chain) {
        entry["certificate_chain"] = crypto::to_pem(shown.chain);
      }
      versions[std::to_string(version)] = entry;
    }
    return vault_answer({{"name", name},
                         {"type", key.type},
                         {"latest_version", key.versions},
                         {"min_encryption_version", key.oldest},
                         {"min_decryption_version", 1},
                         {"supports_signing", !key.kind.empty()},
                         {"exportable", false},
                         {"keys", versions}});
  }

  Response sign(const Request& request, const std::string& name) {
    const auto found = keys().find(name);
    const Json body = Json::parse(request.body, nullptr, false);
    if (found == keys().end() || found->second.kind.empty()) {
      return vault_error(400, "encryption key not found");
    }
    if (!body.is_object() || request.header("content-type") != "application/json") {
      return vault_error(400, "failed to parse JSON input");
    }
    const std::string field = unknown_field(body,
                                            {"input",
                                             "prehashed",
                                             "hash_algorithm",
                                             "signature_algorithm",
                                             "key_version",
                                             "marshaling_algorithm"});
    if (!field.empty()) {
      return vault_error(400, "unknown field " + field);
    }
    return sign_with(found->second, body);
  }

  Response sign_with(const TransitKey& key, const Json& body) {
    const auto alg = digest_of(body.value("hash_algorithm", "sha2-256"));
    const auto input = strict_base64(body.value("input", ""));
    const Json number = body.value("key_version", Json(0));
    if (!alg || !input) {
      return vault_error(400, "invalid hash algorithm or input");
    }
    if (!number.is_number_integer() || number < 0 || number > key.versions) {
      return vault_error(400, "invalid key version");
    }
    const int version = number == 0 ? key.versions : number.get<int>();
    if (version < key.oldest) {
      return vault_error(400, "version is less than the minimum encryption key version");
    }
    if (body.value("marshaling_algorithm", "asn1") != "asn1") {
      return vault_error(400, "this fake marshals as asn1 alone");
    }
    const Bytes digest = body.value("prehashed", false) ? *input : crypto::hash(*alg, *input);
    if (digest.size() != digest_size(*alg)) {
      return vault_error(400, "input is not of the hash algorithm's size");
    }
    const auto& bundle = signer(key, version);
    // As the real one: PSS for RSA unless something else is asked for.
    const bool pss =
        key.type.starts_with("rsa") && body.value("signature_algorithm", "pss") != "pkcs1v15";
    const Bytes signature = pss ? test::must(bundle.key.sign_digest_pss(digest, *alg))
                                : lab_.sign(bundle, digest, *alg);
    return vault_answer(
        {{"signature", "vault:v" + std::to_string(version) + ":" + to_base64(signature)},
         {"key_version", version}});
  }

  Lab& lab_;
  std::map<std::string, Token> tokens_;
  std::set<std::string> single_use_secret_ids_{hashicorp::kSingleUseSecretId};
};

}  // namespace

namespace hashicorp {

std::string identity_token(Lab& lab, const std::string& audience) {
  const std::int64_t now = lab.now().time_since_epoch().count();
  return make_jwt({{"iss", "https://gitlab.example"},
                   {"aud", audience},
                   {"sub", "project_path:contoso/studio:ref_type:tag:ref:v1"},
                   {"iat", now},
                   {"exp", now + 300}},
                  lab.pki().signer(kIssuerKey).key);
}

}  // namespace hashicorp

std::unique_ptr<Personality> make_vault(Lab& lab);
std::unique_ptr<Personality> make_vault(Lab& lab) {
  return std::make_unique<Vault>(lab);
}

}  // namespace signctl::fake
