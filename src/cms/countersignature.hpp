// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <signctl/world.hpp>

#include <optional>
#include <vector>

/// Timestamps from before RFC 3161: a PKCS#9 counter-signature (RFC 2985, 5.3.6) over the signature
/// value, with the time in signingTime. Read and judged, never written.
namespace signctl::cms {

/// A counter-signature and what is wrong with it.
struct CounterSignature {
  SignerInfo signer;
  TimePoint time{};  ///< From the signingTime attribute.
  /// The authority's certificate, which is embedded in the outer SignedData; empty if it is not.
  std::optional<crypto::Certificate> certificate;
  /// Empty when all is well. Ids are "timestamp-structure", "timestamp-imprint",
  /// "timestamp-signature", "timestamp-eku", "timestamp-weak-digest" and
  /// "countersignature-bare-rsa" (the signature is right, but over the bare hash without a
  /// DigestInfo); subject left empty.
  std::vector<Finding> findings;
};

/// Parses and checks `value`, the value of a counterSignature attribute of `signer` in `data`:
/// structure, messageDigest over the signature value, signature, extended key usage. The
/// certificate's chain is the caller's to judge.
///
/// @errors `input` when it is no SignerInfo or holds no readable signingTime.
Result<CounterSignature> check_countersignature(const SignedData& data,
                                                const SignerInfo& signer,
                                                ByteView value);

}  // namespace signctl::cms
