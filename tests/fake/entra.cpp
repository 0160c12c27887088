// SPDX-License-Identifier: Apache-2.0
// Entra's token endpoint, GitHub's and Azure DevOps' identity tokens, and a managed identity.
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/azure.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace signctl::fake {
namespace azure {

const crypto::KeyBundle& registered(Lab& lab) {
  constexpr int kOutOfTheWay = 7;
  return lab.pki().signer("rsa2048", kOutOfTheWay);
}

std::optional<Json> caller(const Request& request, Lab& lab, const std::string& resource) {
  const std::string header = request.header("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (!header.starts_with(kScheme)) {
    return std::nullopt;
  }
  auto claims = lab.granted(header.substr(kScheme.size()));
  const bool good = claims && (*claims)["aud"] == resource &&
                    (*claims)["exp"].get<std::int64_t>() > lab.now().time_since_epoch().count();
  return good ? claims : std::nullopt;
}

}  // namespace azure

namespace {

constexpr std::string_view kAudience = "api://AzureADTokenExchange";
constexpr const char* kIssuer = "https://token.actions.githubusercontent.com";
constexpr const char* kIssuerKey = "rsa2048";
constexpr std::int64_t kLife = 3599;

Response aadsts(int status, std::int64_t code, const std::string& error) {
  const std::string number = std::to_string(code);
  return json_response(
      status,
      {{"error", error},
       {"error_description", "AADSTS" + number + ": fake. Trace ID: 0 Correlation ID: 0"},
       {"error_codes", Json::array({code})},
       {"timestamp", "2026-01-01 00:00:00Z"},
       {"trace_id", "0"},
       {"correlation_id", "0"}});
}

std::optional<Bytes> from_base64url(std::string_view text) {
  if (text.find_first_of("+/= \r\n") != text.npos) {
    return std::nullopt;
  }
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.resize((standard.size() + 3) / 4 * 4, '=');
  return from_base64(standard);
}

/// What a client_credentials request may have: a secret or an assertion, never both.
bool has_known_fields(const std::map<std::string, std::string>& fields) {
  static const std::set<std::string> known{"grant_type",
                                           "client_id",
                                           "client_secret",
                                           "client_assertion",
                                           "client_assertion_type",
                                           "client_info",
                                           "scope"};
  const bool all_known = std::all_of(
      fields.begin(), fields.end(), [](const auto& field) { return known.contains(field.first); });
  return all_known && fields.contains("client_secret") != fields.contains("client_assertion");
}

bool is_service(const std::string& resource) {
  return resource == "https://codesigning.azure.net" || resource == "https://vault.azure.net" ||
         resource == "https://managedhsm.azure.net";
}

/// The certificates of an assertion's header, where it has any: standard base64, the one that
/// signed first.
bool has_good_chain(const Json& head, const crypto::Certificate& leaf) {
  const auto chain = head.find("x5c");
  if (chain == head.end()) {
    return true;
  }
  if (!chain->is_array() || chain->empty()) {
    return false;
  }
  for (const Json& one : *chain) {
    if (!one.is_string() || !strict_base64(one.get<std::string>())) {
      return false;
    }
  }
  return strict_base64(chain->front().get<std::string>()) == leaf.der();
}

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

/// RSASSA-PSS with SHA-256 and a salt of 32 (RFC 7518, 3.5), by OpenSSL alone.
bool verifies_ps256(const crypto::PrivateKey& key, std::string_view text, ByteView signature) {
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(text));
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new(key.pkey(), nullptr));
  return EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1 &&
         EVP_PKEY_verify(
             context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
}

class Entra final : public Personality {
 public:
  explicit Entra(Lab& lab) : lab_(lab) {}

  Response handle(const Request& request) override {
    if (request.path == "/github/token") {
      return github(request);
    }
    if (request.path == "/ado/token") {
      return devops(request);
    }
    if (request.path == "/identity" || request.path == "/metadata/identity/oauth2/token") {
      return managed_identity(request);
    }
    if (request.path == "/ml/token") {
      return machine_learning(request);
    }
    if (request.path == "/oauth2/token") {
      return cloud_shell(request);
    }
    if (request.method != "POST" || !request.path.ends_with("/oauth2/v2.0/token")) {
      return text_response(404, "no such route");
    }
    return token(request);
  }

  [[nodiscard]] Json settings(const std::string& base_url) const override {
    return {{"authority", base_url},
            {"tenant_id", azure::kTenant},
            {"client_id", azure::kClient},
            {"client_secret", azure::kClientSecret},
            {"auth", "client-secret"}};
  }

 private:
  [[nodiscard]] std::int64_t now() const { return lab_.now().time_since_epoch().count(); }

  Response token(const Request& request) {
    const auto fields = form_fields(request.body);
    if (request.header("content-type") != "application/x-www-form-urlencoded" || !fields ||
        !has_known_fields(*fields)) {
      return aadsts(400, 900144, "invalid_request");
    }
    const auto field = [&](const std::string& name) {
      const auto found = fields->find(name);
      return found == fields->end() ? std::string() : found->second;
    };
    if (request.path != "/" + std::string(azure::kTenant) + "/oauth2/v2.0/token") {
      return aadsts(400, 90002, "invalid_request");
    }
    if (field("grant_type") != "client_credentials" || !field("scope").ends_with("/.default")) {
      return aadsts(400, 70011, "invalid_scope");
    }
    const std::string client = field("client_id");
    if (client != azure::kClient && client != azure::kStrangerClient) {
      return aadsts(400, 700016, "unauthorized_client");
    }
    const std::string scope = field("scope");
    const std::string resource = scope.substr(0, scope.size() - std::string("/.default").size());
    if (!is_service(resource)) {
      return aadsts(400, 500011, "invalid_resource");
    }
    if (!field("client_secret").empty()) {
      return field("client_secret") == azure::kClientSecret
                 ? grant(resource, client)
                 : aadsts(401, 7000215, "invalid_client");
    }
    if (field("client_assertion_type") !=
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
      return aadsts(400, 900144, "invalid_request");
    }
    return by_assertion(request, field("client_assertion"), resource, client);
  }

  Response by_assertion(const Request& request,
                        const std::string& jwt,
                        const std::string& resource,
                        const std::string& client) {
    if (const auto claims = verified_claims(jwt, lab_.pki().signer(kIssuerKey).chain.front())) {
      return by_identity(*claims, resource, client);
    }
    const std::size_t dot = jwt.rfind('.');
    const std::size_t middle = jwt.find('.');
    if (dot == std::string::npos || middle == dot) {
      return aadsts(401, 50027, "invalid_client");
    }
    const auto header = from_base64url(jwt.substr(0, middle));
    const auto body = from_base64url(jwt.substr(middle + 1, dot - middle - 1));
    const auto signature = from_base64url(jwt.substr(dot + 1));
    const crypto::KeyBundle& known = azure::registered(lab_);
    if (!header || !body || !signature ||
        !verifies_ps256(known.key, std::string_view(jwt).substr(0, dot), *signature)) {
      return aadsts(401, 700027, "invalid_client");
    }
    const Json head = Json::parse(as_text(*header), nullptr, false);
    const Json claims = Json::parse(as_text(*body), nullptr, false);
    const std::string thumbprint =
        to_base64(crypto::hash(DigestAlg::sha256, known.chain.front().der()));
    const bool good = head.value("alg", "") == "PS256" && head.value("typ", "") == "JWT" &&
                      head.value("x5t#S256", "") == thumbprint &&
                      has_good_chain(head, known.chain.front()) &&
                      claims.value("aud", "") == request.base_url + request.path &&
                      claims.value("iss", "") == client && claims.value("sub", "") == client &&
                      !claims.value("jti", "").empty();
    if (!good) {
      return aadsts(401, 700027, "invalid_client");
    }
    const std::int64_t begin = claims.value("nbf", std::int64_t{0});
    const std::int64_t end = claims.value("exp", std::int64_t{0});
    if (begin > now() + 300 || end < now() || end > now() + 660) {
      return aadsts(401, 700024, "invalid_client");
    }
    return grant(resource, client);
  }

  Response by_identity(const Json& claims, const std::string& resource, const std::string& client) {
    if (claims.value("iss", "") != kIssuer) {
      return aadsts(401, 700211, "invalid_client");
    }
    if (claims.value("aud", "") != kAudience) {
      return aadsts(401, 700212, "invalid_client");
    }
    if (claims.value("sub", "") != azure::kSubject) {
      return aadsts(401, 700213, "invalid_client");
    }
    if (claims.value("exp", std::int64_t{0}) < now()) {
      return aadsts(401, 700024, "invalid_client");
    }
    return grant(resource, client);
  }

  Json make_token(const std::string& resource, const std::string& client) {
    const Json claims{{"aud", resource},
                      {"appid", client},
                      {"oid", azure::kObject},
                      {"jti", random_text("")},
                      {"exp", now() + kLife}};
    const std::string token = make_jwt(claims, lab_.pki().signer(kIssuerKey).key);
    lab_.grant(token, claims);
    return token;
  }

  Response grant(const std::string& resource, const std::string& client) {
    return json_response(200,
                         {{"token_type", "Bearer"},
                          {"expires_in", kLife},
                          {"ext_expires_in", kLife},
                          {"access_token", make_token(resource, client)}});
  }

  [[nodiscard]] std::string identity(const std::string& audience) {
    return make_jwt(
        {{"iss", kIssuer}, {"sub", azure::kSubject}, {"aud", audience}, {"exp", now() + 300}},
        lab_.pki().signer(kIssuerKey).key);
  }

  Response github(const Request& request) {
    const auto audience = request.query.find("audience");
    if (request.method != "GET" || !request.query.contains("api-version") ||
        request.header("authorization") != std::string("bearer ") + azure::kRequestToken) {
      return text_response(401, "unauthorized");
    }
    if (audience == request.query.end()) {
      return text_response(400, "no audience");
    }
    return json_response(200, {{"count", 1}, {"value", identity(audience->second)}});
  }

  Response devops(const Request& request) {
    if (request.header("authorization") != std::string("Bearer ") + azure::kSystemToken) {
      return request.header("x-tfs-fedauthredirect") == "Suppress"
                 ? Response{401, {}, ""}
                 : Response{302, {{"location", "https://signin.invalid/"}}, ""};
    }
    const auto version = request.query.find("api-version");
    if (request.method != "POST" || request.header("content-type") != "application/json" ||
        version == request.query.end() || version->second != "7.1" || !request.body.empty()) {
      return text_response(400, "bad request");
    }
    return json_response(200, {{"oidcToken", identity(std::string(kAudience))}});
  }

  Response managed_identity(const Request& request) {
    const bool app_service = request.path == "/identity";
    const auto version = request.query.find("api-version");
    const auto resource = request.query.find("resource");
    const bool known = app_service ? request.header("x-identity-header") == azure::kIdentityHeader
                                   : request.header("metadata") == "true";
    if (request.method != "GET" || !known || resource == request.query.end() ||
        version == request.query.end() ||
        version->second != (app_service ? "2019-08-01" : "2018-02-01")) {
      return json_response(400,
                           {{"error", "invalid_request"}, {"error_description", "Bad request"}});
    }
    const auto client = request.query.find("client_id");
    if (client != request.query.end() && client->second != azure::kClient) {
      return json_response(
          400, {{"error", "invalid_request"}, {"error_description", "Identity not found"}});
    }
    return identity_token(resource->second);
  }

  Response identity_token(const std::string& resource) {
    return json_response(200,
                         {{"access_token", make_token(resource, azure::kClient)},
                          {"expires_in", std::to_string(kLife)},
                          {"expires_on", std::to_string(now() + kLife)},
                          {"resource", resource},
                          {"token_type", "Bearer"}});
  }

  static Response bad_identity_request(const std::string& why) {
    return json_response(400, {{"error", "invalid_request"}, {"error_description", why}});
  }

  /// Both parameters have names of their own, and the identity has to be named.
  Response machine_learning(const Request& request) {
    const std::map<std::string, std::string> wanted{{"api-version", "2017-09-01"},
                                                    {"clientid", azure::kClient}};
    auto given = request.query;
    const std::string resource = given["resource"];
    given.erase("resource");
    if (request.method != "GET" || request.header("secret") != azure::kMsiSecret ||
        !is_service(resource) || given != wanted) {
      return bad_identity_request("Bad request");
    }
    return identity_token(resource);
  }

  /// Takes a form with the resource alone: there is one identity, the user's.
  Response cloud_shell(const Request& request) {
    const auto fields = form_fields(request.body);
    // The server counts a form's fields as the query's.
    if (request.method != "POST" || request.header("metadata") != "true" ||
        request.query.size() != 1 ||
        request.header("content-type") != "application/x-www-form-urlencoded" || !fields ||
        fields->size() != 1 || !fields->contains("resource") ||
        !is_service(fields->at("resource"))) {
      return bad_identity_request("Bad request");
    }
    return identity_token(fields->at("resource"));
  }

  Lab& lab_;
};

}  // namespace

std::unique_ptr<Personality> make_entra(Lab& lab) {
  return std::make_unique<Entra>(lab);
}

}  // namespace signctl::fake
