// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "providers/common/azure_parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace signctl::providers::azure {
namespace {

constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::int64_t kAssertionOutsideItsTime = 700024;

/// Microsoft's error codes that a user can do something about.
struct KnownCode {
  std::int64_t code;
  ErrorKind kind;
  std::string_view message;
  std::string_view hint;
};

constexpr std::array kKnown{
    KnownCode{7000215,
              ErrorKind::auth,
              "the client secret is wrong",
              "use the secret's value, not its id"},
    KnownCode{7000222,
              ErrorKind::auth,
              "the client secret has expired",
              "make a new one, or use a federated credential, which has no secret"},
    KnownCode{700016,
              ErrorKind::config,
              "the application is not in this tenant",
              "check client_id and tenant_id"},
    KnownCode{700011,
              ErrorKind::config,
              "the application is not in this tenant",
              "check client_id and tenant_id"},
    KnownCode{90002, ErrorKind::config, "there is no such tenant", "check tenant_id and authority"},
    KnownCode{700027,
              ErrorKind::auth,
              "the client certificate is not accepted",
              "register it on the application, and check this machine's clock"},
    KnownCode{700030,
              ErrorKind::auth,
              "the client certificate's subject is not authorised",
              "set AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true, or register the certificate's subject "
              "on the application"},
    KnownCode{70011,
              ErrorKind::config,
              "the tenant does not know the service",
              "register the resource provider (Microsoft.CodeSigning for signing) in the "
              "subscription"},
    KnownCode{500011,
              ErrorKind::config,
              "the tenant does not know the service",
              "register the resource provider (Microsoft.CodeSigning for signing) in the "
              "subscription"},
    KnownCode{70025,
              ErrorKind::config,
              "the application has no federated credential",
              "add one for this pipeline to the application"},
    KnownCode{700211, ErrorKind::config, "no federated credential has the token's issuer", ""},
    KnownCode{700212, ErrorKind::config, "no federated credential has the token's audience", ""},
    KnownCode{700213, ErrorKind::config, "no federated credential has the token's subject", ""},
    KnownCode{kAssertionOutsideItsTime,
              ErrorKind::auth,
              "the assertion is outside its time of validity",
              "check this machine's clock"},
    KnownCode{53003,
              ErrorKind::auth,
              "Conditional Access blocks this machine",
              "except the application's service principal from the policy, or use another runner"},
    KnownCode{50196,
              ErrorKind::internal,
              "it is asked for the same token again and again",
              "this is a mistake in signctl; please report it"},
    KnownCode{90006, ErrorKind::network, "the login service is in trouble", "run again later"},
    KnownCode{90033, ErrorKind::network, "the login service is in trouble", "run again later"},
};

/// The first of `error_codes`, or what follows AADSTS in the description; 0 for none.
std::int64_t code_of(const Reply& reply) {
  if (reply.json.is_object()) {
    const auto codes = reply.json.find("error_codes");
    if (codes != reply.json.end() && codes->is_array() && !codes->empty() &&
        codes->front().is_number_integer()) {
      return codes->front().get<std::int64_t>();
    }
  }
  const std::string text = text_at(reply.json, {"error_description"});
  const std::size_t at = text.find("AADSTS");
  std::int64_t code = 0;
  if (at != std::string::npos) {
    std::from_chars(text.data() + at + 6, text.data() + text.size(), code);
  }
  return code;
}

Error explain(const Reply& reply, const Application& application) {
  const std::int64_t code = code_of(reply);
  if (code == 0 || text_at(reply.json, {"error"}) == "temporarily_unavailable") {
    Error error = refusal_of(reply, "the Azure login service", text_at(reply.json, {"error"}));
    if (error.kind == ErrorKind::provider) {
      error.kind = code == 0 ? ErrorKind::auth : ErrorKind::network;
    }
    return error;
  }
  const std::string name = " (AADSTS" + std::to_string(code) + ")";
  const auto known = std::find_if(
      kKnown.begin(), kKnown.end(), [&](const KnownCode& one) { return one.code == code; });
  if (known != kKnown.end()) {
    return {known->kind,
            "Azure refuses the login: " + std::string(known->message) + name + "; application " +
                printable(application.client) + ", tenant " + printable(application.tenant),
            std::string(known->hint)};
  }
  Error error = refusal_of(reply, "the Azure login service", {});
  if (!is_transient(error.kind)) {
    error = {ErrorKind::auth,
             "Azure refuses the login" + name,
             "look the code up at https://login.microsoftonline.com/error"};
  }
  return error;
}

Call token_call(const Application& application, std::map<std::string, std::string> fields) {
  fields["grant_type"] = "client_credentials";
  fields["client_id"] = application.client;
  fields["scope"] = application.resource + "/.default";
  Call call;
  call.method = "POST";
  call.path = application.token_path();
  call.headers["Accept"] = "application/json";
  call.content_type = "application/x-www-form-urlencoded";
  call.body = form_body(fields);
  return call;
}

RestClient client_of(World world, const Application& application) {
  return {world, application.service, nullptr, [application](const Reply& reply) {
            return explain(reply, application);
          }};
}

/// What Azure compares with the federated credentials, for the person who sets them up.
std::string identity_in(std::string_view jwt) {
  const Json claims = claims_of(jwt);
  std::string text;
  for (const char* claim : {"iss", "sub", "aud"}) {
    text += (text.empty() ? "" : ", ") + std::string(claim) + " \"" +
            printable(text_at(claims, {claim})) + "\"";
  }
  return text;
}

bool is_about_identity(const Error& error) {
  return error.message.find("AADSTS70021") != std::string::npos;
}

std::int64_t number_at(const Json& json, const char* field) {
  const auto found = json.is_object() ? json.find(field) : json.end();
  if (!json.is_object() || found == json.end()) {
    return 0;
  }
  if (found->is_number_integer()) {
    return found->get<std::int64_t>();
  }
  std::int64_t number = 0;
  const std::string text = found->is_string() ? found->get<std::string>() : "";
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  // Older endpoints write expires_on as a date, which begins with a number as well.
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string Application::token_path() const {
  return "/" + percent_encode(tenant) + "/oauth2/v2.0/token";
}

Result<AccessToken> token_in(const Reply& reply, const std::string& who) {
  constexpr std::int64_t kLongest = std::int64_t{365} * 24 * 3600;
  AccessToken token;
  token.text = Secret(text_at(reply.json, {"access_token"}));
  if (token.text.empty()) {
    return Error{ErrorKind::auth, who + " answered without a token"};
  }
  const std::int64_t life = number_at(reply.json, "expires_in");
  const std::int64_t end = number_at(reply.json, "expires_on");
  if (life > 0 && life < kLongest) {
    token.expires = reply.received + std::chrono::seconds(life);
  } else if (end > 0) {
    token.expires = TimePoint{std::chrono::seconds(end)};
  }
  return token;
}

Result<AccessToken> token_by_secret(World world,
                                    const Application& application,
                                    const Secret& secret) {
  const Call call = token_call(application, {{"client_secret", std::string(secret.reveal())}});
  SIGNCTL_TRY(const Reply reply, client_of(world, application).send(call), "");
  return token_in(reply, "the Azure login service");
}

Result<AccessToken> token_by_assertion(World world,
                                       const Application& application,
                                       const Assertion& assertion) {
  for (int attempt = 1;; ++attempt) {
    SIGNCTL_TRY(const Secret jwt, assertion(), "");
    const Call call = token_call(application,
                                 {{"client_assertion_type", kAssertionType},
                                  {"client_assertion", std::string(jwt.reveal())}});
    const auto reply = client_of(world, application).send(call);
    if (reply) {
      return token_in(*reply, "the Azure login service");
    }
    Error error = reply.error();
    // It may have become old while it waited in a queue: a new one is made, once.
    const bool was_late =
        error.message.find(std::to_string(kAssertionOutsideItsTime)) != std::string::npos;
    if (!was_late || attempt > 1) {
      if (is_about_identity(error)) {
        error.hint = "the token says " + identity_in(jwt.reveal()) +
                     "; the application's federated credential must say the same (GitHub's new "
                     "subjects hold numeric ids)";
      }
      return error;
    }
  }
}

}  // namespace signctl::providers::azure
