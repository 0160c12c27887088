// SPDX-License-Identifier: Apache-2.0
#include "engine/obtain_signature.hpp"

#include "engine/input_facts.hpp"

#include <signctl/keeps_operations.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace signctl::engine {

namespace {

/// What the journal says of one signature.
class JournalNote final : public OperationNote {
 public:
  JournalNote(const Claim& claim, std::vector<Bytes> chain)
      : claim_(claim), chain_(std::move(chain)), noted_(claim.operation()) {}

  [[nodiscard]] std::string noted() const override { return noted_; }
  void note(const std::string& operation) override {
    claim_.keep_operation(operation, chain_);
    noted_ = operation;
  }

 private:
  const Claim& claim_;
  const std::vector<Bytes> chain_;  ///< What the signature is expected to carry.
  std::string noted_;
};

Result<std::vector<Bytes>> known_chain(const Stages& stages) {
  return stages.known_chain ? stages.known_chain() : std::vector<Bytes>{};
}

Result<SignedDigest> spend_signature(const OpenedFile& opened,
                                     const UnsignedSignature& prepared,
                                     const Claim& claim,
                                     const Stages& stages) {
  const InputFacts facts(*opened.source, prepared.content.file_digest);
  SIGNCTL_CHECK(stages.session->about_to_sign(facts), "announcing the file to the signing service");
  std::optional<JournalNote> note;
  auto* const keeper = dynamic_cast<KeepsOperations*>(stages.session);
  if (keeper != nullptr && claim.has_journal()) {
    SIGNCTL_TRY(auto chain, known_chain(stages), "looking up the certificate");
    keeper->keep_operation_in(note.emplace(claim, std::move(chain)));
  }
  return stages.session->sign(prepared.to_be_signed, prepared.content.alg);
}

Result<Claim> claim(const UnsignedSignature& prepared, const Stages& stages) {
  if (stages.shelf == nullptr) {
    return Claim();
  }
  return stages.shelf->claim({stages.identity, prepared.content.alg, prepared.to_be_signed});
}

}  // namespace

Result<std::optional<ObtainedSignature>> obtain_signature(const OpenedFile& opened,
                                                          const UnsignedSignature& prepared,
                                                          const SignOptions& options,
                                                          const Stages& stages,
                                                          Reuse reuse) {
  using Answer = std::optional<ObtainedSignature>;
  SIGNCTL_TRY(Claim held, claim(prepared, stages), "");
  if (stages.shelf != nullptr) {
    SIGNCTL_TRY(const FileIdentity now, opened.source->identity_now(), "");
    if (now != opened.source->identity()) {
      return Answer{};
    }
  }
  ObtainedSignature obtained{{}, std::move(held), {}, {}};
  std::optional<Found> found;
  if (reuse == Reuse::allowed) {
    found = obtained.claim.find(prepared, stages.timestamper != nullptr);
  }
  if (found) {
    obtained.reused = found->where;
  }
  if (found && !found->cms.empty()) {
    obtained.signature.cms = std::move(found->cms);
    return Answer{std::move(obtained)};
  }
  SignedDigest made;
  if (found && found->made) {
    made = std::move(*found->made);
  } else {
    SIGNCTL_TRY(
        made, spend_signature(opened, prepared, obtained.claim, stages), "signing the digest");
    SIGNCTL_CHECK(check_made(prepared, made), "");
    if (!prepared.signer.empty() && made.chain.front() != prepared.signer) {
      obtained.other_signer = made.chain.front();
      return Answer{std::move(obtained)};
    }
    obtained.claim.keep(made);
  }
  // The signature is valid from here on, but only for as long as its certificate.
  SIGNCTL_TRY(obtained.signature, finish(prepared, made, options, stages.timestamper), "");
  return Answer{std::move(obtained)};
}

}  // namespace signctl::engine
