// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <vector>

namespace signctl {

/// What a signature of another kind than CMS is to say, and by whom it will be made.
struct SchemeRequest {
  DigestAlg alg{DigestAlg::sha256};
  std::string description;
  std::string url;
  std::vector<Bytes> chain;  ///< DER, leaf first; never empty.
  TimePoint at{};            ///< When it is signed, for formats that say so inside.
};

/// A signature up to, but not including, the signature values.
struct SchemeDraft {
  /// Raw digests that the leaf's key signs, in this order, all of `SchemeRequest::alg`. The last
  /// one's signature value is what gets timestamped.
  std::vector<Bytes> to_be_signed;
  Bytes file_digest;                  ///< Raw digest of what the file says.
  std::shared_ptr<const void> state;  ///< The format's own, for assemble().
};

/// What a stored signature says, and everything wrong with it that needs neither trust nor time.
struct SchemeFacts {
  std::vector<Finding> findings;    ///< Subject empty.
  std::vector<Bytes> certificates;  ///< DER, as embedded.
  Bytes signer;                     ///< DER of the leaf; empty if none fits, which is a finding.
  DigestAlg alg{DigestAlg::sha256};
  Bytes claimed_digest;   ///< Of the file, as signed.
  Bytes computed_digest;  ///< Of the file, as it is.
  std::string description;
  std::string url;
  Bytes stamped_signature;              ///< The signature value that timestamps are over.
  std::vector<Bytes> timestamp_tokens;  ///< DER, RFC 3161; more than one is reported.
};

/// How a format signs whose signatures are not CMS: XML-DSig. An envelope is what
/// EmbeddedSignature::cms and Signable::embed() carry for it.
class SignatureScheme {
 public:
  virtual ~SignatureScheme() = default;

  /// @errors `unsupported` for an algorithm or key that the format's readers do not know.
  virtual Result<SchemeDraft> prepare(const SchemeRequest& request) = 0;

  /// The envelope.
  ///
  /// @param signatures  Checked signature values, one for each of `draft.to_be_signed`.
  /// @param token       RFC 3161 token, DER; empty for none.
  virtual Result<Bytes> assemble(const SchemeDraft& draft,
                                 const std::vector<Bytes>& signatures,
                                 ByteView token) = 0;

  /// @errors `input` when `envelope` cannot be walked at all.
  virtual Result<SchemeFacts> examine(ByteView envelope) = 0;

  /// `envelope` with `token` in place of whatever timestamp it had.
  virtual Result<Bytes> with_timestamp(ByteView envelope, ByteView token) = 0;
};

}  // namespace signctl
