// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/account.hpp"
#include "providers/pkcs11/diagnose.hpp"
#include "providers/pkcs11/settings.hpp"

#include <signctl/provider.hpp>

#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

class Session final : public SigningSession {
 public:
  explicit Session(std::shared_ptr<Account> account) : account_(std::move(account)) {}

  Result<std::vector<Bytes>> expected_chain() override { return account_->chain(); }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const std::string name(digest_name(alg));
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "signctl does not sign with " + name,
                   "use sha256, sha384 or sha512"};
    }
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " + name};
    }
    SIGNCTL_TRY(Bytes signature, account_->sign(lane_, digest, alg), "signing with the token");
    return SignedDigest{std::move(signature), account_->chain()};
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(account_);
    return session;
  }

 private:
  std::shared_ptr<Account> account_;
  Account::Lane lane_;  // Goes first: its link closes before the driver is waited for.
};

class Pkcs11 final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "pkcs11"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "A key on a USB token, smart card, TPM or HSM, through its PKCS#11 module";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return setting_specs(); }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto account, Account::open(settings, world), "opening provider \"pkcs11\"");
    std::unique_ptr<SigningSession> session = std::make_unique<Session>(std::move(account));
    return session;
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    auto examined = pkcs11::examine(settings, world);
    Examination examination;
    examination.findings = std::move(examined.findings);
    if (examined.account) {
      examination.session = std::make_unique<Session>(std::move(examined.account));
    }
    return examination;
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const Pkcs11 instance;
  return instance;
}

}  // namespace signctl::providers::pkcs11
