// SPDX-License-Identifier: Apache-2.0
#include "providers/vault/diagnose.hpp"

#include "core/text.hpp"
#include "providers/vault/key.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace signctl::providers::vault {
namespace {

class Diagnosis {
 public:
  Diagnosis(const ProviderSettings& settings, World world) : settings_(settings), world_(world) {}

  Examination run() && {
    const auto path = key_path(settings_);
    const auto client = make_client(settings_, world_);
    for (const Error* error :
         {path ? nullptr : &path.error(), client ? nullptr : &client.error()}) {
      if (error != nullptr) {
        findings_.push_back(to_finding("vault-settings", "settings", *error));
      }
    }
    if (path && client && check_login(*client)) {
      check_key(*client, *path);
    }
    return {std::move(findings_), std::move(session_)};
  }

 private:
  void add(std::string id, Severity severity, std::string subject, std::string message) {
    findings_.push_back({std::move(id), severity, std::move(subject), std::move(message)});
  }

  bool check_login(const VaultClient& client) {
    const auto token = client.authorizer().token();
    if (!token) {
      findings_.push_back(to_finding("vault-login", "login", token.error()));
      return false;
    }
    if (client.authorizer().uses_secret_id()) {
      add("vault-secret-id",
          Severity::info,
          "login",
          "this check has used the secret id for one login; if it was made for a single one "
          "(secret_id_num_uses=1), it is spent, and signing needs a new one");
    }
    const auto reply = client.call(Call{.path = "/v1/auth/token/lookup-self"});
    if (!reply) {
      // A policy may forbid a token to look at itself, and yet let it sign.
      Finding finding = to_finding("vault-token", "login", reply.error());
      finding.severity = Severity::info;
      findings_.push_back(std::move(finding));
      return true;
    }
    check_token(reply->json.is_object() ? reply->json.value("data", Json::object())
                                        : Json::object());
    return true;
  }

  void check_token(const Json& data) {
    const std::int64_t life = integer_at(data, "ttl");
    const std::int64_t uses = integer_at(data, "num_uses");
    if (uses > 0) {
      add("vault-token-uses",
          Severity::warning,
          "login",
          "the token is good for " + std::to_string(uses) + " more requests");
    }
    if (life <= 0) {
      add("vault-token", Severity::info, "login", "the token does not expire");
      return;
    }
    const std::string end = to_iso8601(world_.clock.now() + std::chrono::seconds{life});
    // One that was just had from a login is renewed by the next.
    const bool given = text_at(data, {"path"}) == "auth/token/create" || is_fixed();
    const bool soon = std::chrono::seconds{life} < std::chrono::days{30};
    add("vault-token",
        given && soon ? Severity::warning : Severity::info,
        "login",
        "the token expires on " + end);
  }

  [[nodiscard]] bool is_fixed() const {
    const auto found = settings_.secrets.find("token");
    return found != settings_.secrets.end() && !found->second.empty();
  }

  static std::int64_t integer_at(const Json& json, const char* field) {
    const auto found = json.is_object() ? json.find(field) : json.end();
    return json.is_object() && found != json.end() && found->is_number_integer()
               ? found->get<std::int64_t>()
               : 0;
  }

  void check_key(const VaultClient& client, const KeyPath& path) {
    const std::string subject = "key " + printable(path.operation("keys"));
    auto version = find_version(client, path, settings_);
    if (!version) {
      findings_.push_back(to_finding("vault-key", subject, version.error()));
      return;
    }
    add("vault-key",
        Severity::info,
        subject,
        "version " + std::to_string(version->number) + ", " + printable(version->type));
    for (Finding& finding : signing_certificate_findings(version->chain.leaf, world_.clock.now())) {
      findings_.push_back(std::move(finding));
    }
    for (Finding& finding : issuer_findings("vault-issuer", version->chain)) {
      findings_.push_back(std::move(finding));
    }
    if (version->server_time) {
      findings_.push_back(clock_finding("Vault", *version->server_time, version->received));
    }
    check_permission(client, path);
    session_ = make_session(make_key(client, path, *std::move(version)));
  }

  /// Vault tells every token what it may do, without doing it.
  void check_permission(const VaultClient& client, const KeyPath& path) {
    const std::string operation = path.operation("sign");
    const std::string subject = "key " + printable(path.operation("keys"));
    const auto reply = client.call(
        post_json("/v1/sys/capabilities-self", Json{{"paths", Json::array({operation})}}));
    if (!reply) {
      Finding finding = to_finding("vault-permission", subject, reply.error());
      finding.severity = Severity::warning;
      findings_.push_back(std::move(finding));
      return;
    }
    const bool may = holds(reply->json, operation);
    add("vault-permission",
        may ? Severity::info : Severity::error,
        subject,
        may ? "may be signed with (update on " + printable(operation) + ")"
            : "the token's policies lack update on " + printable(operation));
  }

  static bool holds(const Json& json, const std::string& operation) {
    const Json data = json.is_object() ? json.value("data", json) : Json::object();
    const Json granted = data.is_object() ? data.value(operation, Json::array()) : Json::array();
    return granted.is_array() && std::any_of(granted.begin(), granted.end(), [](const Json& name) {
             return name == "update" || name == "root";
           });
  }

  const ProviderSettings& settings_;
  World world_;
  std::vector<Finding> findings_;
  std::unique_ptr<SigningSession> session_;
};

}  // namespace

Examination examine(const ProviderSettings& settings, World world) {
  return Diagnosis(settings, world).run();
}

}  // namespace signctl::providers::vault
