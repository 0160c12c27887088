// SPDX-License-Identifier: Apache-2.0
#include "providers/common/signing_key.hpp"

#include "core/text.hpp"

#include <utility>

namespace signctl::providers {
namespace {

class Session final : public SigningSession {
 public:
  explicit Session(std::shared_ptr<SigningKey> key) : key_(std::move(key)) {}

  Result<std::vector<Bytes>> expected_chain() override { return key_->chain().der; }

  Result<void> check_digest(DigestAlg alg) override {
    if (!is_signing_digest(alg)) {
      return Error{ErrorKind::unsupported,
                   "signctl does not sign with " + std::string(digest_name(alg)),
                   "use sha256, sha384 or sha512"};
    }
    return key_->check_digest(alg);
  }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_CHECK(check_digest(alg), "");
    if (digest.size() != digest_size(alg)) {
      return Error{ErrorKind::internal,
                   "a digest of " + std::to_string(digest.size()) + " bytes is not " +
                       std::string(digest_name(alg))};
    }
    SIGNCTL_TRY(const Bytes given, key_->sign(digest, alg), "");
    SIGNCTL_TRY(Bytes signature, checked_signature(key_->chain().leaf, digest, alg, given), "");
    return SignedDigest{std::move(signature), key_->chain().der};
  }

  Result<std::unique_ptr<SigningSession>> another() override { return make_session(key_); }

 private:
  std::shared_ptr<SigningKey> key_;
};

}  // namespace

std::unique_ptr<SigningSession> make_session(std::shared_ptr<SigningKey> key) {
  return std::make_unique<Session>(std::move(key));
}

std::optional<Bytes> spki_from_pem(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  const std::size_t begin = pem.find(kBegin);
  const std::size_t end = pem.find(kEnd);
  if (begin == pem.npos || end == pem.npos || end < begin + kBegin.size()) {
    return std::nullopt;
  }
  const std::size_t from = begin + kBegin.size();
  auto der = from_base64(pem.substr(from, end - from));
  return der && !der->empty() ? der : std::nullopt;
}

Result<void> check_key_of_chain(ByteView spki, const Chain& chain, const std::string& key) {
  if (is_key_of(spki, chain.leaf)) {
    return ok();
  }
  return Error{ErrorKind::config,
               "the certificate \"" + chain.leaf.info().subject + "\" was not issued for the key " +
                   printable(key),
               "give the certificate that was issued for this key, or the key that it names"};
}

Error digest_not_offered(const std::string& key, DigestAlg alg, const std::string& offered) {
  return {ErrorKind::unsupported,
          "the key " + printable(key) + " does not sign " + std::string(digest_name(alg)) +
              " digests; it offers " + printable(offered),
          "set digest to the one that the key was made for"};
}

}  // namespace signctl::providers
