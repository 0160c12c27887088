// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "providers/common/settings.hpp"
#include "providers/keylocker/key.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::keylocker {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "host",
                .required = true,
                .help = "DigiCert ONE host that takes client certificates",
                .example = "https://clientauth.one.digicert.com",
                .environment = "SM_HOST"},
    SettingSpec{.key = "api_key",
                .kind = SettingKind::secret,
                .help = "API token of a service user",
                .example = "env:SM_API_KEY",
                .environment = "SM_API_KEY"},
    SettingSpec{.key = "client_certificate",
                .kind = SettingKind::path,
                .help = "PKCS#12 file to authenticate with",
                .example = "Certificate_pkcs12.p12",
                .environment = "SM_CLIENT_CERT_FILE"},
    SettingSpec{.key = "client_certificate_base64",
                .kind = SettingKind::secret,
                .help = "That file in base64, where there is no file",
                .example = "env:SM_CLIENT_CERT_FILE_B64",
                .environment = "SM_CLIENT_CERT_FILE_B64"},
    SettingSpec{.key = "client_certificate_password",
                .kind = SettingKind::secret,
                .help = "Password of that file",
                .example = "env:SM_CLIENT_CERT_PASSWORD",
                .environment = "SM_CLIENT_CERT_PASSWORD"},
    SettingSpec{.key = "key",
                .help = "Key pair, by alias or id",
                .example = "key_123456789",
                .environment = "SM_KEYPAIR_ALIAS"},
    SettingSpec{.key = "certificate",
                .help = "Certificate, by alias, id or thumbprint (SHA-1 or SHA-256)",
                .example = "cert_123456789",
                .environment = "SM_CODE_SIGNING_CERT_SHA1_HASH"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

void append(std::vector<Finding>& findings, std::vector<Finding> more) {
  for (Finding& finding : more) {
    findings.push_back(std::move(finding));
  }
}

/// Whether a signature would be refused, as far as the service says without making one.
Finding permission_of(const KeyPair& pair, const std::string& subject) {
  if (pair.is_mine == false) {
    return {
        "keylocker-permission",
        Severity::error,
        subject,
        "the API key's user may not sign with it; have the user put on the key pair's list, and "
        "give it the role SSM_SIGNER"};
  }
  if (pair.is_mine == true) {
    return {"keylocker-permission", Severity::info, subject, "the API key's user may sign with it"};
  }
  return {"keylocker-permission",
          Severity::info,
          subject,
          pair.limited ? "is limited to some users; the API key's must be among them to sign"
                       : "is not limited to some users"};
}

/// What the service says of the key pair without signing. How many signatures are left it says to
/// nobody.
void describe(const KeyPair& pair, std::vector<Finding>& findings) {
  const std::string subject = "key pair " + printable(pair.alias);
  findings.push_back({"keylocker-key",
                      Severity::info,
                      subject,
                      pair.kind + ", found with id " + printable(pair.id)});
  findings.push_back(permission_of(pair, subject));
  if (!pair.status.empty() && pair.status != "ONLINE") {
    findings.push_back({"keylocker-status",
                        Severity::warning,
                        subject,
                        "is " + printable(pair.status) +
                            ", so it signs in its release windows only; see it in DigiCert ONE"});
  }
  findings.push_back({"keylocker-quota",
                      Severity::info,
                      subject,
                      "KeyLocker makes " + std::to_string(kSignaturesAYear) +
                          " signatures a certificate and year; how many are left is shown in "
                          "DigiCert ONE only"});
}

class KeyLocker final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "keylocker"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override {
    static constexpr std::array<std::string_view, 1> kAliases{"digicert-one"};
    return kAliases;
  }
  [[nodiscard]] std::string_view title() const override {
    return "DigiCert KeyLocker and Software Trust Manager";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override {
    return {.timestamp_server = "http://timestamp.digicert.com",
            .billable = true,
            .signatures_a_year = kSignaturesAYear};
  }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto key, open_key(settings, world), "opening provider \"keylocker\"");
    return make_session(std::move(key));
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    const auto account = open_account(settings, world);
    if (!account) {
      return {{to_finding("keylocker-settings", "settings", account.error())}};
    }
    std::vector<Finding> findings;
    if (!(*account)->client_chain.empty()) {
      append(findings,
             expiry_findings(
                 "client certificate", (*account)->client_chain.front(), world.clock.now()));
    }
    auto pair = find_key_pair(**account, settings);
    if (!pair) {
      const bool refused = pair.error().kind == ErrorKind::auth;
      findings.push_back(
          to_finding(refused ? "keylocker-login" : "keylocker-key", "key pair", pair.error()));
      return {std::move(findings)};
    }
    describe(*pair, findings);
    append(findings, signing_certificate_findings(pair->chain.leaf, world.clock.now()));
    append(findings, issuer_findings("keylocker-issuer", pair->chain));
    if (pair->server_time) {
      findings.push_back(clock_finding(kName, *pair->server_time, pair->received));
    }
    auto key = make_key(*account, *std::move(pair));
    if (!key) {
      findings.push_back(to_finding("keylocker-key", "key pair", key.error()));
      return {std::move(findings)};
    }
    return {std::move(findings), make_session(*std::move(key))};
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const KeyLocker instance;
  return instance;
}

}  // namespace signctl::providers::keylocker
