// SPDX-License-Identifier: Apache-2.0
#include "providers/common/settings.hpp"
#include "providers/google_kms/diagnose.hpp"
#include "providers/google_kms/key.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::google_kms {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "key",
                .required = true,
                .help = "Full name of the key, with or without its version",
                .example = "projects/P/locations/europe-west3/keyRings/R/cryptoKeys/codesign"},
    SettingSpec{.key = "chain",
                .kind = SettingKind::path,
                .required = true,
                .help = "Certificate of the key and its issuers (PEM, DER or PKCS#7)",
                .example = "codesign.pem"},
    SettingSpec{.key = "auth", .help = "auto, credentials, metadata or token", .example = "auto"},
    SettingSpec{.key = "credentials",
                .kind = SettingKind::path,
                .help = "Credentials file: service account key, workload identity federation or "
                        "gcloud user",
                .example = "credentials.json",
                .environment = "GOOGLE_APPLICATION_CREDENTIALS"},
    SettingSpec{.key = "token",
                .kind = SettingKind::secret,
                .help = "Access token that somebody else has fetched",
                .example = "exec:gcloud auth print-access-token",
                .environment = "GOOGLE_OAUTH_ACCESS_TOKEN"},
    SettingSpec{.key = "endpoint",
                .help = "URL of Cloud KMS, when it is not the public one",
                .example = "https://cloudkms.googleapis.com"},
    SettingSpec{.key = "token_url",
                .help = "URL of the token service, when it is not the one of the credentials file",
                .example = "https://oauth2.googleapis.com/token"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

class GoogleKms final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "google-kms"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "Google Cloud KMS, with the certificate from a file";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override { return {.billable = true}; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto key, open_key(settings, world), "opening provider \"google-kms\"");
    return make_session(std::move(key));
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    return google_kms::examine(settings, world);
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const GoogleKms instance;
  return instance;
}

}  // namespace signctl::providers::google_kms
