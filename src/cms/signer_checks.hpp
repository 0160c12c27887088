// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"
#include "crypto/der.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// The single steps of check_signer, shared with tokens and counter-signatures.
namespace signctl::cms {

/// A finding without subject.
[[nodiscard]] Finding finding(std::string_view id,
                              std::string message,
                              Severity severity = Severity::error);

/// The value of a signed attribute that must be there once, with one value, tagged `tag`. Views
/// into `signer`.
///
/// @errors `input`, worded for a finding.
Result<der::Tlv> single_signed_value(const SignerInfo& signer,
                                     std::string_view oid,
                                     std::uint8_t tag);

/// Whether the signature algorithm fits the certificate's key and the digest algorithm.
///
/// @errors `input`, worded for a finding.
Result<void> check_signature_algorithm(const SignerInfo& signer,
                                       const crypto::Certificate& certificate);

/// Compares the messageDigest attribute with the hash of `content` under the signer's algorithm,
/// which must be known.
///
/// @errors `input`, worded for a finding.
Result<void> check_message_digest(const SignerInfo& signer,
                                  ByteView stored_digest,
                                  ByteView content);

/// Hash of the signed attributes, as it was signed. The digest algorithm must be known.
[[nodiscard]] Bytes signed_digest(const SignerInfo& signer);

/// "sha256", or the OID of an algorithm without a name.
[[nodiscard]] std::string digest_label(const SignerInfo& signer);

}  // namespace signctl::cms
