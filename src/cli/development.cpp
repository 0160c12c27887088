// SPDX-License-Identifier: Apache-2.0
#include "cli/development.hpp"

#include "crypto/issue.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace signctl::cli {

namespace {

using crypto::CertificateTemplate;
using crypto::KeyBundle;
using crypto::PrivateKey;

constexpr std::chrono::hours kClockSkew{1};

CertificateTemplate leaf_template(const DevelopmentCertificate& wanted) {
  CertificateTemplate leaf;
  leaf.subject = {{"CN", wanted.subject + " (signctl rehearsal)"}};
  // Backdated, so that a machine whose clock is a little behind accepts it too.
  leaf.not_before = wanted.now - kClockSkew;
  leaf.not_after = wanted.now + wanted.valid_for;
  leaf.key_usage = "critical,digitalSignature";
  leaf.extended_key_usage = "codeSigning";
  return leaf;
}

/// Trusts one certificate, for code signing.
class RehearsalStore final : public TrustStore {
 public:
  explicit RehearsalStore(crypto::Certificate root) : root_(std::move(root)) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    if (purpose == TrustPurpose::code_signing &&
        std::ranges::equal(name_der, root_.subject_der())) {
      anchors.push_back({root_.der(), "this rehearsal's own authority", false});
    }
    return anchors;
  }

  [[nodiscard]] std::string describe() const override { return "this rehearsal's own authority"; }

 private:
  crypto::Certificate root_;
};

class RehearsalSession final : public SigningSession {
 public:
  explicit RehearsalSession(std::shared_ptr<const KeyBundle> bundle) : bundle_(std::move(bundle)) {
    // The root stays out, as with every provider.
    chain_.push_back(bundle_->chain.front().der());
  }

  Result<std::vector<Bytes>> expected_chain() override { return chain_; }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_TRY(Bytes signature, bundle_->key.sign_digest(digest, alg), "");
    return SignedDigest{std::move(signature), chain_};
  }

  Result<std::unique_ptr<SigningSession>> another() override {
    return open_rehearsal_session(bundle_);
  }

 private:
  std::shared_ptr<const KeyBundle> bundle_;
  std::vector<Bytes> chain_;
};

}  // namespace

Result<KeyBundle> make_self_signed(const DevelopmentCertificate& wanted, const PrivateKey& key) {
  SIGNCTL_TRY(auto certificate, crypto::issue_certificate(leaf_template(wanted), key, nullptr), "");
  return KeyBundle{key, {std::move(certificate)}};
}

Result<RehearsalSigner> make_rehearsal_signer(TimePoint now) {
  // P-256 rather than RSA: a rehearsal should not wait for prime numbers.
  SIGNCTL_TRY(const auto root_key, PrivateKey::generate(PrivateKey::Spec::p256), "");
  SIGNCTL_TRY(const auto leaf_key, PrivateKey::generate(PrivateKey::Spec::p256), "");
  CertificateTemplate root;
  root.subject = {{"CN", "signctl rehearsal authority"}};
  root.not_before = now - kClockSkew;
  root.not_after = now + std::chrono::days(2);
  root.ca = true;
  root.key_usage = "critical,keyCertSign,cRLSign";
  SIGNCTL_TRY(auto root_certificate, crypto::issue_certificate(root, root_key, nullptr), "");
  const KeyBundle issuer{root_key, {root_certificate}};
  SIGNCTL_TRY(auto leaf_certificate,
              crypto::issue_certificate(
                  leaf_template({"Rehearsal", now, std::chrono::days(1)}), leaf_key, &issuer),
              "");
  RehearsalSigner signer;
  signer.store = std::make_shared<RehearsalStore>(root_certificate);
  signer.bundle = std::make_shared<const KeyBundle>(
      KeyBundle{leaf_key, {std::move(leaf_certificate), std::move(root_certificate)}});
  return signer;
}

std::unique_ptr<SigningSession> open_rehearsal_session(std::shared_ptr<const KeyBundle> bundle) {
  return std::make_unique<RehearsalSession>(std::move(bundle));
}

}  // namespace signctl::cli
