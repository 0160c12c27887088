// SPDX-License-Identifier: Apache-2.0
#include "verify/signer_trust.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signctl::verify {

namespace {

class SignerStore final : public TrustStore {
 public:
  SignerStore(std::shared_ptr<const TrustStore> base, std::span<const crypto::Certificate> embedded)
      : base_(std::move(base)) {
    std::copy_if(embedded.begin(),
                 embedded.end(),
                 std::back_inserter(own_),
                 [](const crypto::Certificate& one) { return one.info().self_signed; });
  }

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    for (const crypto::Certificate& certificate : own_) {
      const ByteView name = certificate.subject_der();
      const bool may = purpose == TrustPurpose::code_signing || certificate.is_rehearsal();
      if (may && std::equal(name.begin(), name.end(), name_der.begin(), name_der.end())) {
        anchors.push_back({certificate.der(),
                           "the signer's own certificate (--dev or gate.trust: signer)",
                           false});
      }
    }
    // The machine's own lists need not be searched for a name that is answered already.
    return anchors.empty() ? base_->anchors_named(name_der, purpose) : anchors;
  }

  std::string describe() const override {
    return base_->describe() + "; the signer's own self-signed certificate";
  }

 private:
  std::shared_ptr<const TrustStore> base_;
  std::vector<crypto::Certificate> own_;
};

}  // namespace

std::shared_ptr<const TrustStore> with_signer(std::shared_ptr<const TrustStore> base,
                                              std::span<const crypto::Certificate> embedded) {
  return std::make_shared<SignerStore>(std::move(base), embedded);
}

}  // namespace signctl::verify
