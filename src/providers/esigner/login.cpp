// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/login.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace signctl::providers::esigner {
namespace {

/// What SSL.com serves under one environment. The client ids are public: its own tools have them.
struct Environment {
  std::string_view name;
  std::string_view api;
  std::string_view login;
  std::string_view client_id;
};

constexpr Environment kProduction{"production",
                                  "https://cs.ssl.com",
                                  "https://login.ssl.com/oauth2/token",
                                  "kaXTRACNijSWsFdRKg_KAfD3fqrBlzMbWs6TwWHwAn8"};
constexpr Environment kSandbox{"sandbox",
                               "https://cs-try.ssl.com",
                               "https://oauth-sandbox.ssl.com/oauth2/token",
                               "qOUeZCCzSqgA93acB3LYq6lBNjgZdiOxQc-KayC3UMw"};

/// Assumed where the answer does not say (RFC 6749, 5.1).
constexpr std::chrono::seconds kUsualLife{3600};
constexpr std::int64_t kLongestLife = 86'400;

Result<Environment> environment_of(const ProviderSettings& settings) {
  const std::string name = settings.get("environment");
  const bool is_try = settings.get("endpoint").find("-try.ssl.com") != std::string::npos;
  if (name == kSandbox.name || (name.empty() && is_try)) {
    return kSandbox;
  }
  if (name.empty() || name == kProduction.name) {
    return kProduction;
  }
  return Error{ErrorKind::config,
               "esigner: \"environment\" is " + printable(name),
               "it is production, unless you write sandbox"};
}

std::string or_else(std::string value, std::string_view usual) {
  return value.empty() ? std::string(usual) : value;
}

/// `reply` is the token service's; its text on invalid_grant is about redirect URIs and helps
/// nobody.
Error explain_login(const Reply& reply, const std::string& environment) {
  const std::string code = text_at(reply.json, {"error"});
  Error error = refusal_of(reply, "SSL.com's login", code);
  const bool refused = reply.status == 400 || reply.status == 401 || reply.status == 403;
  if (code == "invalid_grant" || (refused && code.empty())) {
    error.kind = ErrorKind::auth;
    error.message = "SSL.com rejected the user name or password (" + std::to_string(reply.status) +
                    (code.empty() ? "" : " " + code) + ")";
    error.hint = "check username and password, and that the account is of the " + environment +
                 " environment; an account that asks for a second factor at login cannot be used";
  } else if (code == "invalid_client" || code == "unauthorized_client") {
    error.kind = ErrorKind::auth;
    error.hint =
        "check client_id and client_secret, or leave both out to use SSL.com's public client";
  } else if (reply.status == 404) {
    error.kind = ErrorKind::config;
    error.hint = "check login_url";
  }
  return error;
}

/// User name and password until there has been an answer, then the refresh token that came with the
/// last one (RFC 6749, 6): a long run sends the password once. A refresh token that is not taken
/// (it has ended, or the service gives none out) leads back to the password. Renewing calls it from
/// one thread at a time.
class Grants {
 public:
  Grants(RestClient client, std::string user, Secret password, Json fixed)
      : client_(std::move(client)),
        user_(std::move(user)),
        password_(std::move(password)),
        fixed_(std::move(fixed)) {}

  Result<AccessToken> fetch();

 private:
  Result<AccessToken> ask(Json body);

  RestClient client_;
  std::string user_;
  Secret password_;
  Json fixed_;  ///< client_id, and client_secret where there is one.
  Secret refresh_;
};

Result<AccessToken> token_in(const Reply& reply) {
  std::string text = text_at(reply.json, {"access_token"});
  if (text.empty() || text.find_first_of("\r\n") != text.npos) {
    return Error{ErrorKind::provider, "SSL.com answered the login without a token"};
  }
  const auto life = reply.json.find("expires_in");
  std::chrono::seconds lasts = kUsualLife;
  if (life != reply.json.end() && life->is_number_integer()) {
    lasts =
        std::chrono::seconds{std::clamp<std::int64_t>(life->get<std::int64_t>(), 0, kLongestLife)};
  }
  return AccessToken{Secret(std::move(text)), reply.received + lasts};
}

Result<AccessToken> Grants::ask(Json body) {
  body.update(fixed_);
  SIGNCTL_TRY(
      const Reply reply, client_.send(post_json("", body)), "logging in as " + printable(user_));
  refresh_ = Secret(text_at(reply.json, {"refresh_token"}));
  return token_in(reply);
}

Result<AccessToken> Grants::fetch() {
  if (!refresh_.empty()) {
    const Secret once = std::exchange(refresh_, Secret());
    auto token =
        ask({{"grant_type", "refresh_token"}, {"refresh_token", std::string(once.reveal())}});
    if (token || is_transient(token.error().kind)) {
      return token;
    }
    log_debug("esigner: the refresh token is not taken; logging in anew");
  }
  return ask({{"grant_type", "password"},
              {"username", user_},
              {"password", std::string(password_.reveal())}});
}

}  // namespace

Result<Place> find_place(const ProviderSettings& settings) {
  SIGNCTL_TRY(const Environment environment, environment_of(settings), "");
  Place place;
  place.environment = std::string(environment.name);
  const std::string api = or_else(settings.get("endpoint"), environment.api);
  const std::string login = or_else(settings.get("login_url"), environment.login);
  SIGNCTL_TRY(place.api, service_of(settings, "SSL.com eSigner", api, "endpoint"), "");
  SIGNCTL_TRY(place.login, service_of(settings, "SSL.com's login", login, "login_url"), "");
  place.client_id = or_else(settings.get("client_id"), environment.client_id);
  return place;
}

Secret secret_in(const ProviderSettings& settings, const std::string& key) {
  const auto found = settings.secrets.find(key);
  return found == settings.secrets.end() ? Secret() : found->second;
}

Result<void> LoginAuthorizer::authorize(HttpRequest& request) {
  SIGNCTL_TRY(const AccessToken token, token_.get(), "logging in to SSL.com");
  request.headers["Authorization"] = "Bearer " + std::string(token.text.reveal());
  return ok();
}

Result<std::shared_ptr<LoginAuthorizer>> make_login(const ProviderSettings& settings,
                                                    World world,
                                                    const Place& place) {
  const std::string user = settings.get("username");
  const Secret password = secret_in(settings, "password");
  if (user.empty() || password.empty()) {
    return Error{
        ErrorKind::config,
        std::string("esigner: \"") + (user.empty() ? "username" : "password") + "\" is not set",
        "set username and password, or ESIGNER_USERNAME and ESIGNER_PASSWORD"};
  }
  const RestClient client(
      world, place.login, nullptr, [environment = place.environment](const Reply& reply) {
        return explain_login(reply, environment);
      });
  Json fixed{{"client_id", place.client_id}};
  if (const Secret key = secret_in(settings, "client_secret"); !key.empty()) {
    fixed["client_secret"] = std::string(key.reveal());
  }
  const auto grants = std::make_shared<Grants>(client, user, password, std::move(fixed));
  return std::make_shared<LoginAuthorizer>(world.clock, [grants] { return grants->fetch(); });
}

}  // namespace signctl::providers::esigner
