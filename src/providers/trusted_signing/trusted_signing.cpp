// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"
#include "core/text.hpp"
#include "providers/common/settings.hpp"
#include "providers/trusted_signing/account.hpp"

#include <signctl/keeps_operations.hpp>
#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::trusted_signing {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "endpoint",
                .help = "URL of the signing account's region (its accountUri)",
                .example = "https://eus.codesigning.azure.net/"},
    SettingSpec{.key = "account", .help = "Signing account", .example = "contoso"},
    SettingSpec{
        .key = "profile", .help = "Certificate profile of the account", .example = "public-trust"},
    SettingSpec{.key = "metadata",
                .kind = SettingKind::path,
                .help = "metadata.json of Microsoft's client, instead of these three",
                .example = "metadata.json"},
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

class Session final : public SigningSession, public KeepsOperations {
 public:
  explicit Session(std::shared_ptr<Account> account) : account_(std::move(account)) {}

  Result<std::vector<Bytes>> expected_chain() override {
    SIGNCTL_TRY(const Chain chain, account_->chain(), "");
    return chain.der;
  }

  Result<void> about_to_sign(const FileFacts& file) override {
    SIGNCTL_TRY(hashes_.file, file.sha256(), "");
    hashes_.authenticode = file.content_digest();
    return ok();
  }

  void keep_operation_in(OperationNote& note) override { note_ = &note; }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const FileHashes hashes = std::exchange(hashes_, {});
    OperationNote* const note = std::exchange(note_, nullptr);
    const std::string name(digest_name(alg));
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "Artifact Signing does not sign with " + name,
                   "use sha256, sha384 or sha512"};
    }
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " + name};
    }
    SIGNCTL_TRY(Signed made, account_->sign(digest, alg, hashes, note), "");
    return SignedDigest{std::move(made.signature), std::move(made.chain.der)};
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(account_);
    return session;
  }

 private:
  std::shared_ptr<Account> account_;
  FileHashes hashes_;  ///< Of the file that comes next.
  OperationNote* note_{nullptr};
};

void diagnose_leaf(const Chain& chain, TimePoint now, std::vector<Finding>& findings) {
  const std::string subject = "certificate " + chain.leaf.info().subject;
  const std::string until = to_iso8601(chain.leaf.not_after());
  for (Finding& finding : path_findings(chain.leaf)) {
    findings.push_back(std::move(finding));
  }
  if (now > chain.leaf.not_after()) {
    findings.push_back({"signing-certificate-expired",
                        Severity::error,
                        subject,
                        "the signing certificate expired on " + until});
    return;
  }
  findings.push_back({"signing-certificate",
                      Severity::info,
                      subject,
                      chain.leaf.info().key + ", valid until " + until +
                          "; the service renews it daily, so every signature needs a timestamp"});
  const std::string identity = durable_identity(chain.leaf);
  if (!identity.empty()) {
    findings.push_back(
        {"durable-identity",
         Severity::info,
         subject,
         "the subscriber's lasting name; put eku: " + identity + " into gate.identity"});
  }
}

class TrustedSigning final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "trusted-signing"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override {
    static constexpr std::array<std::string_view, 1> kAliases{"artifact-signing"};
    return kAliases;
  }
  [[nodiscard]] std::string_view title() const override {
    return "Azure Artifact Signing (Trusted Signing)";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override {
    return {.timestamp_server = "http://timestamp.acs.microsoft.com", .billable = true};
  }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    const std::string step = "opening provider \"trusted-signing\"";
    SIGNCTL_TRY(auto account, Account::open(settings, world), step);
    if (const std::string doubt = doubt_about(account->place().endpoint); !doubt.empty()) {
      log_warning("trusted-signing: " + doubt);
    }
    // Logs in, and finds wrong names and missing roles before a signature is asked for.
    SIGNCTL_CHECK(account->chain(), step);
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(std::move(account));
    return session;
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    std::vector<Finding> findings;
    const auto account = Account::open(settings, world);
    if (!account) {
      return {{to_finding("trusted-signing-settings", "settings", account.error())}};
    }
    if (const std::string doubt = doubt_about((*account)->place().endpoint); !doubt.empty()) {
      findings.push_back({"trusted-signing-region", Severity::warning, "endpoint", doubt});
    }
    for (Finding& finding : azure::login_findings((*account)->login(), world.clock.now())) {
      findings.push_back(std::move(finding));
    }
    if (findings.back().severity == Severity::error) {
      return {std::move(findings)};
    }
    const auto chain = (*account)->chain();
    if (!chain) {
      findings.push_back(to_finding("trusted-signing-profile", "profile", chain.error()));
      return {std::move(findings)};
    }
    diagnose_leaf(*chain, world.clock.now(), findings);
    if (const auto clocks = (*account)->clocks()) {
      findings.push_back(clock_finding("Artifact Signing", clocks->first, clocks->second));
    }
    return {std::move(findings), std::make_unique<Session>(*account)};
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const TrustedSigning instance;
  return instance;
}

}  // namespace signctl::providers::trusted_signing
