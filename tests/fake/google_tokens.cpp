// SPDX-License-Identifier: Apache-2.0
#include "fake/google_tokens.hpp"

#include "core/text.hpp"
#include "crypto/keys.hpp"
#include "fake/google_kms.hpp"
#include "fake/kms_wire.hpp"
#include "support/must.hpp"

#include <chrono>

namespace signctl::fake {
namespace {

/// The service account's key and the identity provider's.
constexpr const char* kAccountKey = "rsa2048";
constexpr const char* kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::int64_t kLife = 3600;
constexpr const char* kIssuer = "https://token.actions.githubusercontent.com";

Response oauth_error(int status, const std::string& error, const std::string& description) {
  return json_response(status, {{"error", error}, {"error_description", description}});
}

}  // namespace

Response google_error(int status, const std::string& name, const std::string& message) {
  return json_response(status,
                       {{"error", {{"code", status}, {"message", message}, {"status", name}}}});
}

GoogleTokens::GoogleTokens(Lab& lab) : lab_(lab) {
  tokens_[google::kToken] = {lab.now() + std::chrono::hours{24}};
  tokens_[google::kReaderToken] = {lab.now() + std::chrono::hours{24}, false};
}

std::optional<Response> GoogleTokens::handle(const Request& request) {
  if (request.path == "/token") {
    return token(request);
  }
  if (request.path == "/sts/v1/token") {
    return exchange(request);
  }
  if (request.path.starts_with("/iam/")) {
    return impersonate(request);
  }
  if (request.path.starts_with("/metadata/")) {
    return metadata(request);
  }
  if (request.path == "/identity") {
    return identity(request);
  }
  return std::nullopt;
}

std::optional<GoogleCaller> GoogleTokens::caller(const Request& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string header = request.header("authorization");
  if (!header.starts_with(kBearer)) {
    return std::nullopt;
  }
  const auto found = tokens_.find(header.substr(kBearer.size()));
  const bool good =
      found != tokens_.end() && found->second.expires > lab_.now() && !found->second.federated;
  return good ? std::optional(found->second) : std::nullopt;
}

std::string GoogleTokens::issue(const GoogleCaller& rights) {
  const std::string text = new_secret("ya29.");
  tokens_[text] = rights;
  tokens_[text].expires = lab_.now() + std::chrono::seconds{kLife};
  return text;
}

Response GoogleTokens::token(const Request& request) {
  const auto fields = form_fields(request.body);
  if (request.method != "POST" || !fields ||
      request.header("content-type") != "application/x-www-form-urlencoded" ||
      fields->count("grant_type") == 0) {
    return oauth_error(400, "invalid_request", "not a form, or no grant_type");
  }
  const std::string grant = fields->at("grant_type");
  if (grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" && fields->size() == 2 &&
      fields->count("assertion") == 1) {
    return by_assertion(fields->at("assertion"), request.base_url + "/token");
  }
  const auto has = [&](const char* name, const char* value) {
    return fields->count(name) == 1 && fields->at(name) == value;
  };
  if (grant == "refresh_token" && has("client_id", "fake-client") &&
      has("client_secret", google::kClientSecret)) {
    if (!has("refresh_token", google::kRefreshToken)) {
      return oauth_error(400, "invalid_grant", "Token has been expired or revoked.");
    }
    return json_response(
        200, {{"access_token", issue({})}, {"expires_in", kLife}, {"token_type", "Bearer"}});
  }
  return oauth_error(400, "unsupported_grant_type", "Invalid grant_type: " + grant);
}

Response GoogleTokens::by_assertion(const std::string& assertion, const std::string& audience) {
  const auto claims = verified_claims(assertion, lab_.pki().signer(kAccountKey).chain.front());
  if (!claims) {
    return oauth_error(400, "invalid_grant", "Invalid JWT Signature.");
  }
  const std::int64_t now = lab_.now().time_since_epoch().count();
  const std::int64_t issued = claims->value("iat", std::int64_t{0});
  const std::int64_t expires = claims->value("exp", std::int64_t{0});
  if (issued > now + 60 || expires <= now || expires - issued > kLife) {
    return oauth_error(400,
                       "invalid_grant",
                       "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                       "reasonable timeframe. Check your iat and exp values in the JWT claim.");
  }
  if (claims->value("iss", "") != google::kEmail || claims->value("aud", "") != audience ||
      claims->value("scope", "") != kScope) {
    return oauth_error(400, "invalid_grant", "Invalid grant: account not found");
  }
  return json_response(
      200, {{"access_token", issue({})}, {"expires_in", kLife}, {"token_type", "Bearer"}});
}

Response GoogleTokens::exchange(const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (request.method != "POST" || request.header("content-type") != "application/json" ||
      !body.is_object() ||
      !unknown_field(body,
                     {"audience",
                      "grantType",
                      "requestedTokenType",
                      "scope",
                      "subjectTokenType",
                      "subjectToken"})
           .empty()) {
    return oauth_error(400, "invalid_request", "bad body");
  }
  const bool shaped =
      body.value("grantType", "") == "urn:ietf:params:oauth:grant-type:token-exchange" &&
      body.value("requestedTokenType", "") == "urn:ietf:params:oauth:token-type:access_token" &&
      body.value("subjectTokenType", "") == "urn:ietf:params:oauth:token-type:jwt" &&
      body.value("scope", "") == kScope;
  if (!shaped || body.value("audience", "") != google::kAudience) {
    return oauth_error(
        400, "invalid_target", "The target service indicated by the audience is invalid.");
  }
  const auto claims =
      verified_claims(body.value("subjectToken", ""), lab_.pki().signer(kAccountKey).chain.front());
  if (!claims || claims->value("iss", "") != kIssuer) {
    return oauth_error(400, "invalid_grant", "The subject token is not valid.");
  }
  return json_response(200,
                       {{"access_token", issue({{}, true, true})},
                        {"issued_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                        {"token_type", "Bearer"},
                        {"expires_in", kLife}});
}

Response GoogleTokens::impersonate(const Request& request) {
  const std::string path =
      std::string("/iam/v1/projects/-/serviceAccounts/") + google::kEmail + ":generateAccessToken";
  const Json body = Json::parse(request.body, nullptr, false);
  const std::string header = request.header("authorization");
  const auto token = tokens_.find(header.substr(std::min<std::size_t>(header.size(), 7)));
  if (!header.starts_with("Bearer ") || token == tokens_.end() || !token->second.federated) {
    return google_error(401, "UNAUTHENTICATED", "no federated token");
  }
  if (request.method != "POST" || request.path != path || !body.is_object() ||
      body.value("scope", Json::array()) != Json::array({kScope}) ||
      !unknown_field(body, {"scope", "lifetime"}).empty()) {
    return google_error(403,
                        "PERMISSION_DENIED",
                        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it "
                        "may not exist).");
  }
  return json_response(200,
                       {{"accessToken", issue({})},
                        {"expireTime", to_iso8601(lab_.now() + std::chrono::seconds{kLife})}});
}

Response GoogleTokens::metadata(const Request& request) {
  if (request.header("metadata-flavor") != "Google") {
    return {403, {{"content-type", "text/html"}}, "<html>Missing Metadata-Flavor</html>"};
  }
  if (request.method != "GET" ||
      request.path != "/metadata/computeMetadata/v1/instance/service-accounts/default/token") {
    return {404, {{"content-type", "text/html"}}, "<html>not found</html>"};
  }
  return json_response(
      200, {{"access_token", issue({})}, {"expires_in", kLife}, {"token_type", "Bearer"}});
}

Response GoogleTokens::identity(const Request& request) const {
  if (request.method != "GET" ||
      request.header("authorization") != std::string("Bearer ") + google::kIdentityBearer) {
    return text_response(401, "no bearer");
  }
  return json_response(200, {{"count", 1}, {"value", google::identity_token(lab_)}});
}

namespace google {

std::string identity_token(Lab& lab) {
  const std::int64_t now = lab.now().time_since_epoch().count();
  return make_jwt({{"iss", kIssuer},
                   {"aud", "https:" + std::string(kAudience)},
                   {"sub", "repo:contoso/studio:ref:refs/tags/v1"},
                   {"iat", now},
                   {"exp", now + 300}},
                  lab.pki().signer(kAccountKey).key);
}

Json service_account_file(Lab& lab, const std::string& base_url) {
  const Secret pem = test::must(crypto::to_pem(lab.pki().signer(kAccountKey).key));
  return {{"type", "service_account"},
          {"project_id", "fake"},
          {"private_key_id", "fake"},
          {"private_key", std::string(pem.reveal())},
          {"client_email", kEmail},
          {"client_id", "1"},
          {"token_uri", base_url + "/token"}};
}

Json external_account_file(const std::string& base_url) {
  const Json format{{"type", "json"}, {"subject_token_field_name", "value"}};
  const Json headers{{"Authorization", std::string("Bearer ") + kIdentityBearer}};
  const Json source{
      {"url", base_url + "/identity?audience=x"}, {"headers", headers}, {"format", format}};
  return {{"type", "external_account"},
          {"audience", kAudience},
          {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
          {"token_url", base_url + "/sts/v1/token"},
          {"service_account_impersonation_url",
           base_url + "/iam/v1/projects/-/serviceAccounts/" + kEmail + ":generateAccessToken"},
          {"credential_source", source}};
}

Json authorized_user_file(const std::string& base_url) {
  return {{"type", "authorized_user"},
          {"client_id", "fake-client"},
          {"client_secret", kClientSecret},
          {"refresh_token", kRefreshToken},
          {"token_uri", base_url + "/token"}};
}

}  // namespace google

}  // namespace signctl::fake
