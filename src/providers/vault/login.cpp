// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "providers/common/github_token.hpp"
#include "providers/vault/client.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <utility>

namespace signctl::providers::vault {
namespace {

/// Everything that a login is made from.
struct Inputs {
  const ProviderSettings& settings;
  World world;
  const Place& place;

  [[nodiscard]] Secret secret(const std::string& key) const {
    const auto found = settings.secrets.find(key);
    return found == settings.secrets.end() ? Secret() : found->second;
  }
  [[nodiscard]] bool is_on_github() const {
    return world.environment.get("ACTIONS_ID_TOKEN_REQUEST_URL").has_value();
  }
};

class Namespaced final : public Authorizer {
 public:
  explicit Namespaced(std::string vault_namespace) : namespace_(std::move(vault_namespace)) {}

  Result<void> authorize(HttpRequest& request) override {
    put_headers(request, namespace_);
    return ok();
  }

 private:
  std::string namespace_;
};

Result<VaultToken> token_in(const Reply& reply) {
  std::string text = text_at(reply.json, {"auth", "client_token"});
  if (text.empty() || text.find_first_of("\r\n") != text.npos) {
    return Error{ErrorKind::provider, "Vault answered the login without a token"};
  }
  VaultToken token{Secret(std::move(text))};
  const Json& auth = reply.json["auth"];
  const auto life = auth.find("lease_duration");
  // Zero stands for a token without an end.
  if (life != auth.end() && life->is_number_integer() && *life > 0) {
    token.expires = reply.received + std::chrono::seconds{life->get<std::int64_t>()};
  }
  const auto uses = auth.find("num_uses");
  token.limited = uses != auth.end() && uses->is_number_integer() && *uses > 0;
  return token;
}

/// One login at an auth method; `hint` is for a refusal.
struct LoginCall {
  std::string mount;
  std::string method;  ///< For people.
  std::string hint;
};

Result<VaultToken> log_in(World world,
                          const Place& place,
                          const LoginCall& login,
                          const Json& body) {
  const RestClient client(world,
                          place.service,
                          std::make_shared<Namespaced>(place.vault_namespace),
                          [&login](const Reply& reply) {
                            Error error = explain(reply);
                            // A wrong role, secret or token is a bad request to Vault.
                            const bool refused = reply.status == 400 || reply.status == 403;
                            if (refused) {
                              error.kind = ErrorKind::auth;
                              error.hint = login.hint;
                            }
                            if (reply.status == 404) {
                              error.hint = "check auth_mount and namespace";
                            }
                            return error;
                          });
  SIGNCTL_TRY(const Reply reply,
              client.send(post_json("/v1/auth/" + encode_path(login.mount) + "/login", body)),
              "logging in with " + login.method);
  return token_in(reply);
}

std::string mount_of(const Inputs& inputs, const char* usual) {
  const std::string named = inputs.settings.get("auth_mount");
  return named.empty() ? usual : named;
}

/// Where `vault login` leaves its token; empty if there is none.
std::string token_file(const Environment& environment) {
  auto home = environment.get("HOME");
  if (!home) {
    home = environment.get("USERPROFILE");
  }
  const std::string path = home ? *home + "/.vault-token" : std::string();
  std::error_code failed;
  return home && std::filesystem::exists(to_path(path), failed) ? path : std::string();
}

Result<Login> fixed_token(std::string text, const std::string& description) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (text.empty() || text.find_first_of("\r\n") != text.npos) {
    return Error{ErrorKind::auth,
                 "vault: the token is empty or has several lines",
                 "set VAULT_TOKEN to what `vault token create` prints"};
  }
  const Secret token(std::move(text));
  return Login{description, Renewal::pointless, [token]() -> Result<VaultToken> {
                 return VaultToken{token};
               }};
}

Result<Login> by_token(const Inputs& inputs) {
  const Secret given = inputs.secret("token");
  if (!given.empty()) {
    return fixed_token(std::string(given.reveal()), "the token given");
  }
  const std::string path = token_file(inputs.world.environment);
  if (path.empty()) {
    return Error{ErrorKind::config,
                 R"(vault: "token" is not set)",
                 "set token or VAULT_TOKEN, or another auth"};
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestSecret), "reading ~/.vault-token");
  return fixed_token(std::string(as_text(bytes)), "the token of ~/.vault-token");
}

Result<Login> by_approle(const Inputs& inputs) {
  const std::string role_id = inputs.settings.get("role_id");
  if (role_id.empty()) {
    return Error{ErrorKind::config,
                 R"(vault: "role_id" is not set)",
                 "AppRole needs role_id and, as a rule, secret_id"};
  }
  const LoginCall login{mount_of(inputs, "approle"),
                        "AppRole",
                        "check role_id, and that secret_id has not expired and is not used up"};
  return Login{"AppRole",
               Renewal::possible,
               [world = inputs.world,
                place = inputs.place,
                login,
                role_id,
                secret_id = inputs.secret("secret_id")] {
                 Json body{{"role_id", role_id}};
                 if (!secret_id.empty()) {
                   body["secret_id"] = secret_id.reveal();
                 }
                 return log_in(world, place, login, body);
               },
               !inputs.secret("secret_id").empty()};
}

/// The pipeline's identity token: the one given, or a new one from GitHub for each login.
std::function<Result<Secret>()> jwt_source(const Inputs& inputs) {
  const Secret given = inputs.secret("jwt");
  if (!given.empty()) {
    return [given]() -> Result<Secret> { return given; };
  }
  std::string audience = inputs.settings.get("audience");
  if (audience.empty()) {
    audience = inputs.place.service.base_url;
  }
  return [world = inputs.world, audience] { return github_token(world, audience); };
}

Result<Login> by_jwt(const Inputs& inputs) {
  if (inputs.secret("jwt").empty() && !inputs.is_on_github()) {
    return Error{ErrorKind::config,
                 R"(vault: "jwt" is not set, and this is no GitHub job with an identity token)",
                 "give the pipeline's identity token, or the job permissions: id-token: write"};
  }
  const LoginCall login{mount_of(inputs, "jwt"),
                        "JWT",
                        "check role, and the role's bound_audiences, bound_subject and "
                        "bound_claims against the token"};
  return Login{"JWT",
               Renewal::possible,
               [world = inputs.world,
                place = inputs.place,
                login,
                role = inputs.settings.get("role"),
                source = jwt_source(inputs)]() -> Result<VaultToken> {
                 SIGNCTL_TRY(const Secret token, source(), "");
                 Json body{{"jwt", token.reveal()}};
                 // Without one Vault takes the method's default role.
                 if (!role.empty()) {
                   body["role"] = role;
                 }
                 return log_in(world, place, login, body);
               }};
}

Result<Login> choose(const Inputs& inputs) {
  if (!inputs.secret("token").empty()) {
    return by_token(inputs);
  }
  if (!inputs.settings.get("role_id").empty()) {
    return by_approle(inputs);
  }
  const bool role = !inputs.settings.get("role").empty();
  if (!inputs.secret("jwt").empty() || (role && inputs.is_on_github())) {
    return by_jwt(inputs);
  }
  if (!token_file(inputs.world.environment).empty()) {
    return by_token(inputs);
  }
  return Error{ErrorKind::auth,
               "vault: no credentials were found: no token, no role_id, no jwt",
               "set VAULT_TOKEN, or auth and what it needs"};
}

struct Method {
  std::string_view name;
  Result<Login> (*make)(const Inputs& inputs);
};
constexpr std::array<Method, 4> kMethods{
    {{"auto", choose}, {"token", by_token}, {"approle", by_approle}, {"jwt", by_jwt}}};

}  // namespace

Result<Place> find_place(const ProviderSettings& settings, World world) {
  const std::string address = settings.get("address");
  if (address.empty()) {
    return Error{ErrorKind::config, R"(vault: "address" is not set)", "set it, or VAULT_ADDR"};
  }
  ProviderSettings own = settings;
  if (own.get("ca_file").empty()) {
    own.values["ca_file"] = world.environment.get("VAULT_CACERT").value_or("");
  }
  SIGNCTL_TRY(Service service, service_of(own, "Vault", address, "address"), "");
  if (service.base_url.ends_with("/v1")) {
    service.base_url.resize(service.base_url.size() - 3);
  }
  const std::string name = settings.get("namespace");
  if (name.find_first_of("\r\n") != name.npos) {
    return Error{ErrorKind::config, R"(vault: "namespace" has several lines)"};
  }
  return Place{std::move(service), name};
}

Result<Login> choose_login(const ProviderSettings& settings, World world, const Place& place) {
  const std::string named = settings.get("auth");
  const Inputs inputs{settings, world, place};
  std::vector<std::string> names;
  for (const Method& method : kMethods) {
    if (method.name == (named.empty() ? "auto" : named)) {
      return method.make(inputs);
    }
    names.emplace_back(method.name);
  }
  return Error{ErrorKind::config,
               "vault: \"" + printable(named) + "\" is not a value of auth",
               "use one of " + join(names, ", ")};
}

}  // namespace signctl::providers::vault
