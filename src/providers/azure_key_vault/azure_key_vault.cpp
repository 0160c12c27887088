// SPDX-License-Identifier: Apache-2.0
#include "providers/azure_key_vault/key.hpp"
#include "providers/common/settings.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::azure_key_vault {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "vault_url",
                .required = true,
                .help = "URL of the vault or managed HSM",
                .example = "https://contoso.vault.azure.net/"},
    SettingSpec{.key = "certificate",
                .help = "Certificate in the vault; its key signs",
                .example = "codesign"},
    SettingSpec{.key = "key",
                .help = "Key in the vault or HSM, when its certificate is in a file",
                .example = "codesign"},
    SettingSpec{.key = "version",
                .help = "Version of the certificate or key; the newest if left out",
                .example = "0123456789abcdef0123456789abcdef"},
    SettingSpec{.key = "chain",
                .kind = SettingKind::path,
                .help = "Issuers of the certificate, which the vault does not keep; with key, the "
                        "certificate too",
                .example = "chain.pem"},
    azure::kAuth,
    azure::kTenantId,
    azure::kClientId,
    azure::kClientSecret,
    azure::kClientCertificate,
    azure::kClientCertificatePassword,
    azure::kFederatedToken,
    azure::kAuthority,
    kMaxParallel,
    kTimeout,
    kCaFile,
};

class AzureKeyVault final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "azure-key-vault"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "Azure Key Vault and Managed HSM";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override { return {.billable = true}; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto key, open_key(settings, world), "opening provider \"azure-key-vault\"");
    return make_session(std::move(key));
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    auto vault = Vault::open(settings, world);
    if (!vault) {
      return {{to_finding("key-vault-settings", "settings", vault.error())}};
    }
    std::vector<Finding> findings = azure::login_findings(*vault->login, world.clock.now());
    if (findings.back().severity == Severity::error) {
      return {std::move(findings)};
    }
    auto key = find_key(*vault, settings);
    if (!key) {
      findings.push_back(to_finding("key-vault-key", "key", key.error()));
      return {std::move(findings)};
    }
    findings.push_back({"permission-untried",
                        Severity::info,
                        "key",
                        "the key may be read; whether it may sign only a signature shows: doctor "
                        "--sign-test makes one"});
    for (Finding& finding : signing_certificate_findings(key->chain.leaf, world.clock.now())) {
      findings.push_back(std::move(finding));
    }
    for (Finding& finding : issuer_findings("key-vault-chain-incomplete", key->chain)) {
      findings.push_back(std::move(finding));
    }
    if (key->server_time) {
      findings.push_back(clock_finding("Azure Key Vault", *key->server_time, key->received));
    }
    return {std::move(findings), make_session(make_key(*std::move(vault), *std::move(key)))};
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const AzureKeyVault instance;
  return instance;
}

}  // namespace signctl::providers::azure_key_vault
