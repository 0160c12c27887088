// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/material.hpp"
#include "providers/common/renewing.hpp"
#include "providers/common/rest.hpp"

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Logging in to Azure (Microsoft Entra ID) for a resource.
namespace signctl::providers::azure {

inline constexpr SettingSpec kAuth{
    .key = "auth",
    .help =
        "auto, client-secret, client-certificate, workload-identity, managed-identity or "
        "azure-cli",
    .example = "auto"};
inline constexpr SettingSpec kTenantId{.key = "tenant_id",
                                       .help = "Directory (tenant) id or domain",
                                       .example = "contoso.onmicrosoft.com",
                                       .environment = "AZURE_TENANT_ID"};
inline constexpr SettingSpec kClientId{
    .key = "client_id",
    .help = "Application (client) id; for a managed identity that of a user-assigned one",
    .example = "00000000-0000-0000-0000-000000000000",
    .environment = "AZURE_CLIENT_ID"};
inline constexpr SettingSpec kClientSecret{.key = "client_secret",
                                           .kind = SettingKind::secret,
                                           .help = "Client secret: its value, not its id",
                                           .example = "env:AZURE_CLIENT_SECRET",
                                           .environment = "AZURE_CLIENT_SECRET"};
inline constexpr SettingSpec kClientCertificate{
    .key = "client_certificate",
    .kind = SettingKind::path,
    .help = "Certificate with key that is registered on the application (PKCS#12 or PEM)",
    .example = "login.pfx",
    .environment = "AZURE_CLIENT_CERTIFICATE_PATH"};
inline constexpr SettingSpec kClientCertificatePassword{
    .key = "client_certificate_password",
    .kind = SettingKind::secret,
    .help = "Password of that file",
    .example = "env:AZURE_CLIENT_CERTIFICATE_PASSWORD",
    .environment = "AZURE_CLIENT_CERTIFICATE_PASSWORD"};
inline constexpr SettingSpec kFederatedToken{
    .key = "federated_token",
    .kind = SettingKind::secret,
    .help = "Identity token of the pipeline where it comes in a variable (GitLab's id_tokens)",
    .example = "env:AZURE_ID_TOKEN"};
inline constexpr SettingSpec kAuthority{.key = "authority",
                                        .help = "URL of the login service, for other clouds",
                                        .example = "https://login.microsoftonline.us/",
                                        .environment = "AZURE_AUTHORITY_HOST"};

/// An access token.
struct AccessToken {
  Secret text;
  std::optional<TimePoint> expires{};
};

/// One way of getting access tokens, chosen.
struct Login {
  std::string description;  ///< "client secret of application 0000", for people.
  Renewal renewal{Renewal::possible};
  Renewing<AccessToken>::Fetch fetch;
  std::optional<crypto::Certificate> certificate{};  ///< That logs in, if one does.
};

/// The login that `auth` names or, for "auto", the first that there is something for: a given
/// identity token or the platform's file of one, a client secret, a client certificate, GitHub's or
/// Azure DevOps' identity tokens, a managed identity, the az command. Only one is ever tried.
///
/// @param resource  What the token is for, without "/.default": "https://vault.azure.net".
/// @errors `config` for an unknown `auth` or one that lacks its settings; `input` and `auth` for a
///         certificate file that cannot be used.
Result<Login> choose_login(const ProviderSettings& settings,
                           World world,
                           const std::string& resource);

/// Puts the bearer token on requests. Safe to share between threads.
class BearerAuthorizer final : public Authorizer {
 public:
  BearerAuthorizer(const Clock& clock, Login login)
      : description_(std::move(login.description)),
        certificate_(std::move(login.certificate)),
        token_(clock, login.renewal, std::move(login.fetch)) {}

  Result<void> authorize(HttpRequest& request) override;
  bool renew() override { return token_.renew(); }

  Result<AccessToken> token() { return token_.get(); }
  [[nodiscard]] const std::string& description() const { return description_; }
  [[nodiscard]] const std::optional<crypto::Certificate>& certificate() const {
    return certificate_;
  }

 private:
  std::string description_;
  std::optional<crypto::Certificate> certificate_;
  Renewing<AccessToken> token_;
};

/// choose_login() with one line that says what "auto" chose.
Result<std::shared_ptr<BearerAuthorizer>> log_in(const ProviderSettings& settings,
                                                 World world,
                                                 const std::string& resource);

/// Logs in, and says what came of it: the life of a client certificate, then
/// "azure-login", of severity error when it failed.
[[nodiscard]] std::vector<Finding> login_findings(BearerAuthorizer& login, TimePoint now);

/// "object id X, application Y" as the token says, for role assignments; empty when it does not.
/// The token is not verified: it is ours, and only looked at.
[[nodiscard]] std::string principal_of(std::string_view token);

}  // namespace signctl::providers::azure
