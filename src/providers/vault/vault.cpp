// SPDX-License-Identifier: Apache-2.0
#include "providers/common/settings.hpp"
#include "providers/vault/diagnose.hpp"
#include "providers/vault/key.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::vault {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "address",
                .required = true,
                .help = "URL of Vault",
                .example = "https://vault.example.com:8200",
                .environment = "VAULT_ADDR"},
    SettingSpec{
        .key = "key", .required = true, .help = "Name of the transit key", .example = "codesign"},
    SettingSpec{.key = "key_version",
                .kind = SettingKind::number,
                .help = "Version of the key; the newest one that has the certificate's key if left "
                        "out",
                .example = "3"},
    SettingSpec{
        .key = "mount", .help = "Where the transit engine is mounted", .example = "transit"},
    SettingSpec{.key = "namespace",
                .help = "Namespace (Vault Enterprise, HCP)",
                .example = "admin/release",
                .environment = "VAULT_NAMESPACE"},
    SettingSpec{.key = "chain",
                .kind = SettingKind::path,
                .help =
                    "Certificate of the key and its issuers, when Vault does not keep them with "
                    "the key",
                .example = "codesign.pem"},
    SettingSpec{.key = "auth", .help = "auto, token, approle or jwt", .example = "auto"},
    SettingSpec{.key = "auth_mount",
                .help = "Where the auth method is mounted, when not under its own name",
                .example = "jwt-github"},
    SettingSpec{.key = "token",
                .kind = SettingKind::secret,
                .help = "Vault token",
                .example = "env:VAULT_TOKEN",
                .environment = "VAULT_TOKEN"},
    SettingSpec{.key = "role_id",
                .help = "Role id of an AppRole",
                .example = "59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8",
                .environment = "VAULT_ROLE_ID"},
    SettingSpec{.key = "secret_id",
                .kind = SettingKind::secret,
                .help = "Secret id of an AppRole",
                .example = "env:VAULT_SECRET_ID",
                .environment = "VAULT_SECRET_ID"},
    SettingSpec{.key = "role", .help = "Role of the JWT auth method", .example = "codesign"},
    SettingSpec{.key = "jwt",
                .kind = SettingKind::secret,
                .help = "Identity token of the pipeline; not needed on GitHub",
                .example = "env:VAULT_ID_TOKEN"},
    SettingSpec{.key = "audience",
                .help = "Audience to ask GitHub's identity token for; the address if left out",
                .example = "https://vault.example.com:8200"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

class Vault final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "vault"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "HashiCorp Vault's transit engine";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto key, open_key(settings, world), "opening provider \"vault\"");
    return make_session(std::move(key));
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    return vault::examine(settings, world);
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const Vault instance;
  return instance;
}

}  // namespace signctl::providers::vault
