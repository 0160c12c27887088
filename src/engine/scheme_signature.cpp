// SPDX-License-Identifier: Apache-2.0
#include "engine/scheme_signature.hpp"

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"
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

}  // namespace

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
                scheme.prepare({options.digest, options.description, options.url, chain}),
                "computing the digest");
    SIGNCTL_TRY(Made made, spend(opened, draft, options.digest, chain.front(), stages), "");
    if (made.signatures.empty()) {
      chain = std::move(made.chain);
      continue;
    }
    SchemeSignature finished;
    Bytes token;
    if (stages.timestamper != nullptr) {
      SIGNCTL_TRY(Stamp stamp,
                  stages.timestamper->stamp({made.signatures.back(), options.timestamp_digest, {}}),
                  "timestamping");
      token = std::move(stamp.token);
      finished.timestamp_source = std::move(stamp.source);
    }
    SIGNCTL_TRY(finished.envelope,
                scheme.assemble(draft, made.signatures, token),
                "assembling the signature");
    return finished;
  }
  return Error{ErrorKind::provider,
               "the signing service changed its certificate from one signature to the next, twice",
               "run again"};
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
