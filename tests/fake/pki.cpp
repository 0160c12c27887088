// SPDX-License-Identifier: Apache-2.0
#include "fake/pki.hpp"

#include "crypto/issue.hpp"
#include "fake/azure.hpp"
#include "support/must.hpp"

#include <chrono>

namespace signctl::fake {

using crypto::CertificateTemplate;
using crypto::KeyBundle;
using crypto::PrivateKey;
using test::must;

namespace {

constexpr std::chrono::days kBefore{1};
constexpr std::chrono::days kAfter{365};
/// With kBefore the 72 hours of Artifact Signing's certificates.
constexpr std::chrono::days kShortAfter{2};
constexpr std::string_view kCodeSigning = "codeSigning";

}  // namespace

Pki::Pki(TimePoint now, Marking marking)
    : now_(now),
      marking_(marking),
      root_(authority("Fake Code Signing Root", nullptr)),
      intermediate_(authority("Fake Code Signing CA", &root_)),
      tls_(issue("localhost", "serverAuth", root_, PrivateKey::Spec::p256)),
      client_root_(authority("Fake Client Root", nullptr)),
      client_(issue("Fake Client", "clientAuth", client_root_, PrivateKey::Spec::p256)),
      stranger_(issue("Stranger", "clientAuth", root_, PrivateKey::Spec::p256)) {}

KeyBundle Pki::authority(const std::string& name, const KeyBundle* issuer) const {
  CertificateTemplate wanted;
  wanted.subject = {{"CN", name}, {"O", "signctl fakes"}};
  wanted.not_before = now_ - kBefore;
  wanted.not_after = now_ + kAfter;
  wanted.ca = true;
  wanted.key_usage = "critical,keyCertSign,cRLSign";
  wanted.rehearsal = marking_ == Marking::rehearsal;
  PrivateKey key = must(PrivateKey::generate(PrivateKey::Spec::p256));
  KeyBundle bundle{key, {must(crypto::issue_certificate(wanted, key, issuer))}};
  if (issuer != nullptr) {
    bundle.chain.insert(bundle.chain.end(), issuer->chain.begin(), issuer->chain.end());
  }
  return bundle;
}

KeyBundle Pki::issue(const std::string& name,
                     const std::string& usage,
                     const KeyBundle& issuer,
                     PrivateKey::Spec spec) const {
  CertificateTemplate wanted;
  wanted.subject = {{"CN", name}, {"O", "signctl fakes"}};
  wanted.not_before = now_ - kBefore;
  wanted.not_after = now_ + kAfter;
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = usage;
  wanted.rehearsal = marking_ == Marking::rehearsal && usage.starts_with(kCodeSigning);
  if (usage.starts_with(kCodeSigning) && usage != kCodeSigning) {
    wanted.not_after = now_ + kShortAfter;
  }
  if (usage == "serverAuth") {
    wanted.extra_extensions = {{"subjectAltName", "DNS:localhost,IP:127.0.0.1,IP:::1"}};
  }
  PrivateKey key = must(PrivateKey::generate(spec));
  KeyBundle bundle{key, {must(crypto::issue_certificate(wanted, key, &issuer))}};
  bundle.chain.insert(bundle.chain.end(), issuer.chain.begin(), issuer.chain.end());
  return bundle;
}

const KeyBundle& Pki::signer(std::string_view kind, int generation) {
  const std::string name = std::string(kind) + "/" + std::to_string(generation);
  const auto found = signers_.find(name);
  if (found != signers_.end()) {
    return found->second;
  }
  const auto spec = crypto::find_key_spec(kind).value_or(PrivateKey::Spec::rsa3072);
  std::string usage(kCodeSigning);
  if (kind == kIdVerified) {
    usage += ",1.3.6.1.4.1.311.97.1.0," + std::string(azure::kDurableIdentity);
  }
  return signers_.emplace(name, issue("Fake Signer " + name, usage, intermediate_, spec))
      .first->second;
}

}  // namespace signctl::fake
