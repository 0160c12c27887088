// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::cms {

/// TSTInfo (RFC 3161, 2.4.2).
struct TstInfo {
  std::uint64_t version{};
  std::string policy;
  std::string imprint_oid;
  std::optional<DigestAlg> imprint_alg;
  Bytes imprint;
  Bytes serial;  ///< INTEGER content octets.
  TimePoint time{};
  std::optional<std::chrono::milliseconds> accuracy;
  Bytes nonce;  ///< INTEGER content octets; empty if absent.
  /// OIDs of extensions marked critical; we know none, so each makes the token unusable.
  std::vector<std::string> critical_extensions;
};

/// A parsed token: the SignedData and what it says.
struct TimestampToken {
  SignedData signed_data;
  TstInfo info;
};

/// @errors `input` when it is not a SignedData over TSTInfo with one signer.
Result<TimestampToken> parse_timestamp_token(ByteView der);

/// The checks of a token that need neither trust nor network: signature, content type,
/// messageDigest, imprint over `signature`, ESSCertID binding, signer's EKU (timeStamping, critical
/// and alone), algorithms. Empty when all is well. Ids are "timestamp-structure",
/// "timestamp-signature", "timestamp-imprint", "timestamp-certificate-binding", "timestamp-eku",
/// "timestamp-eku-not-critical", "timestamp-eku-not-alone", "timestamp-weak-digest" and
/// "timestamp-accuracy"; subject left empty.
std::vector<Finding> check_timestamp_token(const TimestampToken& token, ByteView signature);

/// TimeStampReq (RFC 3161, 2.4.1): version 1, certReq TRUE.
///
/// @param imprint  Raw hash of `alg`'s size.
/// @param nonce    Unsigned magnitude, big-endian.
/// @param policy   Dotted OID; empty for none.
[[nodiscard]] Bytes encode_timestamp_request(ByteView imprint,
                                             DigestAlg alg,
                                             ByteView nonce,
                                             const std::string& policy);

/// PKIStatusInfo and the token of a TimeStampResp.
struct TimestampResponse {
  std::uint64_t status{};
  std::string status_text;
  std::vector<int> failure_bits;
  Bytes token;  ///< ContentInfo DER; empty if absent.
};
Result<TimestampResponse> parse_timestamp_response(ByteView der);

}  // namespace signctl::cms
