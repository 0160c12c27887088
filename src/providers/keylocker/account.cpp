// SPDX-License-Identifier: Apache-2.0
#include "providers/keylocker/account.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace signctl::providers::keylocker {
namespace {

constexpr std::string_view kApi = "/signingmanager/api/v1";

const Secret& secret(const ProviderSettings& settings, const std::string& key) {
  static const Secret kNone;
  const auto found = settings.secrets.find(key);
  return found == settings.secrets.end() ? kNone : found->second;
}

/// The hosts that people open in a browser. Theirs are the same paths, but they ask for no client
/// certificate, and refuse signatures in the end.
Result<void> check_host(const std::string& url) {
  constexpr std::array<std::string_view, 8> kBrowserHosts{"one.digicert.com",
                                                          "demo.one.digicert.com",
                                                          "one.ch.digicert.com",
                                                          "demo.one.ch.digicert.com",
                                                          "one.digicert.co.jp",
                                                          "demo.one.digicert.co.jp",
                                                          "one.nl.digicert.com",
                                                          "demo.one.nl.digicert.com"};
  const std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
  const std::string host = to_lower(rest.substr(0, rest.find_first_of(":/")));
  if (std::ranges::find(kBrowserHosts, host) == kBrowserHosts.end()) {
    return ok();
  }
  return Error{ErrorKind::config,
               "\"host\" is the host for browsers, which takes no client certificate",
               "set it to https://clientauth." + host};
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> words) {
  const std::string lower = to_lower(text);
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return lower.find(word) != std::string::npos;
  });
}

bool is_about_mutual_tls(const std::string& said) {
  return mentions(said, {"multi-factor", "client authentication certificate"});
}

}  // namespace

Result<void> KeyAuthorizer::authorize(HttpRequest& request) {
  request.headers["x-api-key"] = std::string(key_.reveal());
  if (request.method == "POST" && request.url.ends_with("/sign")) {
    ++signatures_;
  }
  return ok();
}

Result<std::shared_ptr<const Account>> open_account(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Service service, service_of(settings, kName, settings.get("host"), "host"), "");
  SIGNCTL_CHECK(check_host(service.base_url), "");
  const Secret& key = secret(settings, "api_key");
  if (key.empty()) {
    return Error{ErrorKind::config,
                 "\"api_key\" is not set",
                 "make an API token for a service user, and put it into SM_API_KEY"};
  }
  const Secret& base64 = secret(settings, "client_certificate_base64");
  SIGNCTL_TRY(ClientFile client, load_client_identity(settings, base64.reveal()), "");
  if (!client.identity) {
    return Error{ErrorKind::config,
                 "there is no client certificate: DigiCert wants one beside the API key",
                 "set client_certificate (SM_CLIENT_CERT_FILE) or SM_CLIENT_CERT_FILE_B64"};
  }
  service.client = client.identity;
  service.base_url += kApi;
  auto authorizer = std::make_shared<KeyAuthorizer>(key);
  std::shared_ptr<const Account> account =
      std::make_shared<Account>(Account{authorizer,
                                        RestClient(world, service, authorizer, explain_lookup),
                                        RestClient(world, service, authorizer, explain_signing),
                                        std::move(client.chain)});
  return account;
}

std::string said_by(const Reply& reply) {
  const Json& json = reply.json;
  if (!json.is_object()) {
    return {};
  }
  const auto error = json.find("error");
  if (error != json.end() && error->is_object()) {
    const std::string message = text_at(*error, {"message"});
    return message.empty() ? text_at(*error, {"status"}) : message;
  }
  if (error != json.end() && error->is_string()) {
    return error->get<std::string>();
  }
  const auto errors = json.find("errors");
  if (errors != json.end() && errors->is_array() && !errors->empty()) {
    const std::string message = text_at(errors->front(), {"message"});
    return message.empty() ? text_at(errors->front(), {"code"}) : message;
  }
  return text_at(json, {"message"});
}

Error explain_lookup(const Reply& reply) {
  const std::string said = said_by(reply);
  Error error = refusal_of(reply, kName, said);
  switch (reply.status) {
    case 400:
      error.kind = ErrorKind::config;
      break;
    case 401:
      error.hint = "the API key is invalid, expired, or from another DigiCert ONE host";
      break;
    case 403:
      error.hint = is_about_mutual_tls(said)
                       ? "use the clientauth host and give the client certificate (p12)"
                       : "the API key's user may not see this; it needs the role SSM_SIGNER";
      break;
    case 404:
      error.kind = ErrorKind::config;
      error.hint = "check key, certificate and host; aliases are case-sensitive";
      break;
    default:
      break;
  }
  return error;
}

Error explain_signing(const Reply& reply) {
  const std::string said = said_by(reply);
  Error error = explain_lookup(reply);
  if (reply.status != 403 || is_about_mutual_tls(said)) {
    return error;
  }
  if (mentions(said, {"quota", "limit reached", "exceed", "allowance", "used up"})) {
    error.kind = ErrorKind::provider;
    error.hint = "KeyLocker's " + std::to_string(kSignaturesAYear) +
                 " signatures a certificate and year are used up; ask DigiCert for more";
    return error;
  }
  error.hint =
      "check in DigiCert ONE: 1) the user may use this key pair and has the role SSM_SIGNER; 2) "
      "the key pair is online or in a release window; 3) the allowance of " +
      std::to_string(kSignaturesAYear) + " signatures is not used up";
  return error;
}

Call get(const std::string& path) {
  return Call{.path = path};
}

}  // namespace signctl::providers::keylocker
