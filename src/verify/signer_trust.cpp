// SPDX-License-Identifier: Apache-2.0
#include "verify/signer_trust.hpp"

#include <algorithm>
#include <utility>

namespace signctl::verify {

namespace {

class SignerStore final : public TrustStore {
 public:
  SignerStore(std::shared_ptr<const TrustStore> base, const crypto::Certificate& signer)
      : base_(std::move(base)), signer_(signer) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    const ByteView name = signer_.subject_der();
    const bool may = signer_.info().self_signed &&
                     (purpose == TrustPurpose::code_signing || signer_.is_rehearsal());
    if (may && std::equal(name.begin(), name.end(), name_der.begin(), name_der.end())) {
      anchors.push_back(
          {signer_.der(), "the signer's own certificate (--dev or gate.trust: signer)", false});
    }
    // The machine's own lists need not be searched for a name that is answered already.
    return anchors.empty() ? base_->anchors_named(name_der, purpose) : anchors;
  }

  std::string describe() const override {
    return base_->describe() + "; the signer's own self-signed certificate";
  }

 private:
  std::shared_ptr<const TrustStore> base_;
  crypto::Certificate signer_;
};

}  // namespace

std::shared_ptr<const TrustStore> with_signer(std::shared_ptr<const TrustStore> base,
                                              const crypto::Certificate& signer) {
  return std::make_shared<SignerStore>(std::move(base), signer);
}

}  // namespace signctl::verify
