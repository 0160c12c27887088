// SPDX-License-Identifier: Apache-2.0
#include "providers/common/settings.hpp"
#include "providers/esigner/diagnose.hpp"
#include "providers/esigner/session.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::esigner {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "environment",
                .help = "production or sandbox; production if left out",
                .example = "production"},
    SettingSpec{.key = "username",
                .required = true,
                .help = "Name of the SSL.com user",
                .example = "ci@contoso.example",
                .environment = "ESIGNER_USERNAME"},
    SettingSpec{.key = "password",
                .kind = SettingKind::secret,
                .required = true,
                .help = "Password of the SSL.com user",
                .example = "env:ESIGNER_PASSWORD",
                .environment = "ESIGNER_PASSWORD"},
    SettingSpec{.key = "credential_id",
                .help = "Which credential signs; may be left out when the account has one",
                .example = "8b072e22-7685-4771-b5c6-48e46614915f",
                .environment = "ESIGNER_CREDENTIAL_ID"},
    SettingSpec{.key = "totp_secret",
                .kind = SettingKind::secret,
                .help = "Secret of the one-time passwords, as shown at enrolment",
                .example = "env:ESIGNER_TOTP_SECRET",
                .environment = "ESIGNER_TOTP_SECRET"},
    SettingSpec{.key = "totp_format",
                .help = "auto, base64 or base32: how the secret is written",
                .example = "auto"},
    SettingSpec{.key = "pin",
                .kind = SettingKind::secret,
                .help = "PIN of the credential, where it has one",
                .example = "env:ESIGNER_PIN"},
    SettingSpec{.key = "client_id",
                .help = "Id of an own OAuth application instead of SSL.com's public one",
                .example = "qOUeZCCzSqgA93acB3LYq6lBNjgZdiOxQc-KayC3UMw"},
    SettingSpec{.key = "client_secret",
                .kind = SettingKind::secret,
                .help = "Secret of an own OAuth application",
                .example = "env:ESIGNER_CLIENT_SECRET"},
    SettingSpec{.key = "endpoint",
                .help = "URL of the signing API, when not the environment's",
                .example = "https://cs.ssl.com"},
    SettingSpec{.key = "login_url",
                .help = "URL of the OAuth token service, when not the environment's",
                .example = "https://login.ssl.com/oauth2/token"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

Result<std::unique_ptr<SigningSession>> open_session(const ProviderSettings& settings,
                                                     World world) {
  SIGNCTL_TRY(auto client, Client::make(settings, world), "");
  SIGNCTL_CHECK(check_secrets(settings), "");
  SIGNCTL_TRY(Credential credential, find_credential(*client, settings), "");
  SIGNCTL_TRY(Factors factors, find_factors(settings, credential, world.clock), "");
  SIGNCTL_TRY(const bool scans, is_scan_enabled(*client, credential.id), "");
  return make_session(std::move(client), {std::move(credential), std::move(factors), scans});
}

class Esigner final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "esigner"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override { return "SSL.com eSigner"; }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override {
    return {.timestamp_server = "http://ts.ssl.com", .billable = true};
  }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto session, open_session(settings, world), "opening provider \"esigner\"");
    return session;
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    return esigner::examine(settings, world);
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const Esigner instance;
  return instance;
}

}  // namespace signctl::providers::esigner
