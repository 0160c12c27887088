// SPDX-License-Identifier: Apache-2.0
#include "providers/common/azure_login.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "providers/common/azure_parts.hpp"

#include <utility>

namespace signctl::providers::azure {
namespace {

constexpr std::string_view kPublicAuthority = "https://login.microsoftonline.com";

const Secret* secret_of(const ProviderSettings& settings, const std::string& key) {
  const auto found = settings.secrets.find(key);
  return found == settings.secrets.end() || found->second.empty() ? nullptr : &found->second;
}

Error lacks(const std::string& auth, const std::string& what) {
  return {ErrorKind::config,
          "auth \"" + auth + "\" needs " + what,
          "set it in the config or in the usual AZURE_ variable"};
}

/// The ways of logging in for one set of settings.
class Chooser {
 public:
  Chooser(const ProviderSettings& settings, World world, std::string resource)
      : settings_(settings), world_(world) {
    application_.resource = std::move(resource);
    application_.tenant = settings.get("tenant_id");
    application_.client = settings.get("client_id");
  }

  Result<Login> choose() {
    const std::string authority = settings_.get("authority");
    SIGNCTL_TRY(application_.service,
                service_of(settings_,
                           "the Azure login service",
                           authority.empty() ? std::string(kPublicAuthority) : authority,
                           "authority"),
                "");
    const std::string auth = settings_.get("auth");
    if (auth.empty() || auth == "auto") {
      return by_what_is_there();
    }
    if (auth == "client-secret") {
      return by_secret();
    }
    if (auth == "client-certificate") {
      return by_certificate();
    }
    if (auth == "workload-identity") {
      return by_federation();
    }
    if (auth == "managed-identity") {
      return by_managed_identity();
    }
    if (auth == "azure-cli") {
      return by_cli();
    }
    return Error{ErrorKind::config,
                 "\"" + printable(auth) + "\" is no way to log in to Azure",
                 "auth is auto, client-secret, client-certificate, workload-identity, "
                 "managed-identity or azure-cli"};
  }

 private:
  Result<Login> by_what_is_there() {
    // No variable supplies federated_token by itself: somebody has asked for it.
    if (secret_of(settings_, "federated_token") != nullptr ||
        world_.environment.get("AZURE_FEDERATED_TOKEN_FILE")) {
      return by_federation();
    }
    if (secret_of(settings_, "client_secret") != nullptr) {
      return by_secret();
    }
    if (!settings_.get("client_certificate").empty()) {
      return by_certificate();
    }
    const bool is_named = !application_.tenant.empty() && !application_.client.empty();
    if (is_named && find_federation(settings_, world_, application_)) {
      return by_federation();
    }
    return has_managed_identity(world_) ? by_managed_identity() : by_cli();
  }

  Result<void> check_names(const std::string& auth) const {
    if (application_.tenant.empty()) {
      return lacks(auth, "tenant_id");
    }
    if (application_.client.empty()) {
      return lacks(auth, "client_id");
    }
    return ok();
  }

  [[nodiscard]] std::string of_application() const {
    return " of application " + printable(application_.client);
  }

  Result<Login> by_secret() const {
    SIGNCTL_CHECK(check_names("client-secret"), "");
    const Secret* secret = secret_of(settings_, "client_secret");
    if (secret == nullptr) {
      return lacks("client-secret", "client_secret");
    }
    Login login;
    login.description = "the client secret" + of_application();
    login.fetch = [world = world_, application = application_, secret = *secret] {
      return token_by_secret(world, application, secret);
    };
    return login;
  }

  Result<Login> by_certificate() const {
    SIGNCTL_CHECK(check_names("client-certificate"), "");
    if (settings_.get("client_certificate").empty()) {
      return lacks("client-certificate", "client_certificate");
    }
    SIGNCTL_TRY(
        const CertificateLogin found, certificate_login(settings_, world_, application_), "");
    Login login = by_assertion("the client certificate" + of_application(), found.assertion);
    login.certificate = found.certificate;
    return login;
  }

  Result<Login> by_federation() const {
    SIGNCTL_CHECK(check_names("workload-identity"), "");
    const auto federation = find_federation(settings_, world_, application_);
    if (!federation) {
      return Error{ErrorKind::auth,
                   "nothing here gives an identity token",
                   "on GitHub add permissions: id-token: write; on Azure DevOps map "
                   "SYSTEM_ACCESSTOKEN: $(System.AccessToken) in env; elsewhere set "
                   "federated_token or AZURE_FEDERATED_TOKEN_FILE"};
    }
    return by_assertion(federation->description + of_application(), federation->assertion);
  }

  [[nodiscard]] Login by_assertion(std::string description, const Assertion& assertion) const {
    Login login;
    login.description = std::move(description);
    login.fetch = [world = world_, application = application_, assertion] {
      return token_by_assertion(world, application, assertion);
    };
    return login;
  }

  [[nodiscard]] Login by_managed_identity() const {
    Login login;
    login.description =
        "the managed identity" + (application_.client.empty() ? "" : of_application());
    login.fetch = [world = world_, application = application_] {
      return token_of_managed_identity(world, application.client, application.resource);
    };
    return login;
  }

  [[nodiscard]] Login by_cli() const {
    Login login;
    login.description = "the az command's login";
    login.fetch = [world = world_, application = application_] {
      return token_of_cli(world, application.tenant, application.resource);
    };
    return login;
  }

  const ProviderSettings& settings_;
  World world_;
  Application application_;
};

}  // namespace

Result<Login> choose_login(const ProviderSettings& settings,
                           World world,
                           const std::string& resource) {
  return Chooser(settings, world, resource).choose();
}

Result<void> BearerAuthorizer::authorize(HttpRequest& request) {
  SIGNCTL_TRY(const AccessToken token, token_.get(), "logging in with " + description_);
  request.headers["Authorization"] = "Bearer " + std::string(token.text.reveal());
  return ok();
}

Result<std::shared_ptr<BearerAuthorizer>> log_in(const ProviderSettings& settings,
                                                 World world,
                                                 const std::string& resource) {
  SIGNCTL_TRY(Login login, choose_login(settings, world, resource), "");
  const std::string named = settings.get("auth");
  if (named.empty() || named == "auto") {
    log_info("azure: logging in with " + login.description);
  }
  return std::make_shared<BearerAuthorizer>(world.clock, std::move(login));
}

std::vector<Finding> login_findings(BearerAuthorizer& login, TimePoint now) {
  std::vector<Finding> findings;
  if (login.certificate()) {
    // Said of a refused login too: it may be the reason.
    findings = expiry_findings("client certificate", *login.certificate(), now);
  }
  const auto token = login.token();
  findings.push_back(
      token
          ? Finding{"azure-login", Severity::info, "login", "logged in with " + login.description()}
          : to_finding("azure-login", "login", token.error()));
  return findings;
}

std::string principal_of(std::string_view token) {
  const Json claims = claims_of(token);
  const std::string object = text_at(claims, {"oid"});
  const std::string application = text_at(claims, {"appid"});
  std::string text = object.empty() ? "" : "object id " + printable(object);
  if (!application.empty()) {
    text += (text.empty() ? "application " : ", application ") + printable(application);
  }
  return text;
}

}  // namespace signctl::providers::azure
