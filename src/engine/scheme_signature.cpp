// SPDX-License-Identifier: Apache-2.0
#include "engine/scheme_signature.hpp"

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"
#include "engine/draft.hpp"
#include "engine/gate.hpp"
#include "engine/input_facts.hpp"

#include <utility>

namespace signctl::engine {

namespace {

/// The signature values of one draft, and the chain behind them.
struct Made {
  std::vector<Bytes> signatures;
  std::vector<Bytes> chain;
};

/// Has the digests signed. Stops early, with an empty `signatures`, when another certificate than
/// `expected` turns out to have signed.
Result<Made> spend(const OpenedFile& opened,
                   const SchemeDraft& draft,
                   DigestAlg alg,
                   const Bytes& expected,
                   const Stages& stages) {
  Made made;
  for (const Bytes& digest : draft.to_be_signed) {
    const InputFacts facts(*opened.source, draft.file_digest);
    SIGNCTL_CHECK(stages.session->about_to_sign(facts),
                  "announcing the file to the signing service");
    SIGNCTL_TRY(SignedDigest one, stages.session->sign(digest, alg), "signing the digest");
    if (one.chain.empty()) {
      return Error{ErrorKind::provider,
                   "the signature came back without a certificate",
                   "give the certificate chain with --chain"};
    }
    SIGNCTL_TRY(const auto leaf,
                crypto::Certificate::parse(one.chain.front()),
                "reading the signing chain");
    // Nothing a service says is believed before it is checked.
    if (!crypto::verify_digest(leaf, digest, alg, one.signature)) {
      return Error{ErrorKind::provider,
                   "the signature does not verify with the key of certificate \"" +
                       leaf.info().subject + "\"",
                   "the key and the certificate of this signer do not belong together"};
    }
    made.chain = std::move(one.chain);
    if (made.chain.front() != expected) {
      made.signatures.clear();
      return made;
    }
    made.signatures.push_back(std::move(one.signature));
  }
  return made;
}

/// Prepares, has every digest signed and checked, has the last signature timestamped, assembles.
/// The signer's certificate is part of what is signed: when the service signs with another one than
/// it announced, everything is prepared once more with that one.
///
/// @errors `unsupported` when the signer cannot say beforehand which certificate it will use;
///         `provider` when a signature is not by the certificate that came with it, or the
///         certificate changes again.
Result<SchemeSignature> sign_by_scheme(OpenedFile& opened,
                                       const SignOptions& options,
                                       const Stages& stages) {
  SignatureScheme& scheme = *opened.signable->scheme();
  SIGNCTL_TRY(auto chain, stages.session->expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return Error{ErrorKind::unsupported,
                 "this file type names its signer inside what is signed, and the signer does not "
                 "say beforehand which certificate it will use",
                 "give the certificate chain with --chain"};
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    SIGNCTL_TRY(const auto draft,
                scheme.prepare(
                    {options.digest, options.description, options.url, chain, stages.clock->now()}),
                "computing the digest");
    SIGNCTL_TRY(Made made, spend(opened, draft, options.digest, chain.front(), stages), "");
    if (made.signatures.empty()) {
      chain = std::move(made.chain);
      continue;
    }
    SchemeSignature finished;
    SIGNCTL_TRY(
        finished.envelope, scheme.assemble(draft, made.signatures, {}), "assembling the signature");
    if (stages.timestamper != nullptr) {
      SIGNCTL_TRY(
          finished, restamp_by_scheme(scheme, finished.envelope, options, *stages.timestamper), "");
    }
    return finished;
  }
  return Error{ErrorKind::provider,
               "the signing service changed its certificate from one signature to the next, twice",
               "run again"};
}

}  // namespace

Result<FileOutcome> sign_file_by_scheme(OpenedFile& opened,
                                        const FileTask& task,
                                        const Stages& stages) {
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, task.output), "creating the draft");
  SIGNCTL_CHECK(draft.fill(), "copying the file");
  SIGNCTL_TRY(SchemeSignature finished, sign_by_scheme(opened, task.options, stages), "");
  SIGNCTL_TRY(FileOutcome outcome,
              embed_and_commit(opened, std::move(draft), {&finished.envelope, 1}, stages),
              "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(finished.timestamp_source);
  return outcome;
}

Result<SchemeSignature> restamp_by_scheme(SignatureScheme& scheme,
                                          ByteView envelope,
                                          const SignOptions& options,
                                          Timestamper& timestamper) {
  SIGNCTL_TRY(const auto facts, scheme.examine(envelope), "reading the signature");
  if (facts.stamped_signature.empty()) {
    return Error{ErrorKind::input, "the signature has no value that could be timestamped"};
  }
  SIGNCTL_TRY(Stamp stamp,
              timestamper.stamp({facts.stamped_signature, options.timestamp_digest, {}}),
              "timestamping");
  SchemeSignature finished;
  finished.timestamp_source = std::move(stamp.source);
  SIGNCTL_TRY(finished.envelope, scheme.with_timestamp(envelope, stamp.token), "");
  return finished;
}

}  // namespace signctl::engine
