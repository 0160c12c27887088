// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <signctl/world.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Signatures that say who made them, when, and to what end: the attributes of CAdES (RFC 5126)
/// that NuGet asks for.
namespace signctl::cms {

struct CadesAttributesSpec {
  std::string_view content_type;  ///< Dotted eContentType.
  Bytes message_digest;           ///< H(content octets of eContent).
  DigestAlg alg{DigestAlg::sha256};
  const crypto::Certificate& certificate;
  TimePoint signing_time{};
  std::string_view commitment_type;  ///< Dotted.
};

/// DER of the SET OF Attribute (universal tag 31, sorted): contentType, messageDigest, signingTime,
/// commitmentTypeIndication and signingCertificateV2, as `dotnet nuget sign` writes them.
[[nodiscard]] Bytes encode_cades_attributes(const CadesAttributesSpec& spec);

/// The signingTime attribute: UTCTime, and GeneralizedTime from 2050 on (RFC 5652, 11.3).
///
/// @errors `input`, worded for a finding.
Result<TimePoint> read_signing_time(const SignerInfo& signer);

/// Dotted OIDs in the values of the commitmentTypeIndication attributes (RFC 5126, 5.11.1), in
/// stored order; empty without the attribute.
///
/// @errors `input`, worded for a finding.
Result<std::vector<std::string>> read_commitment_types(const SignerInfo& signer);

/// Whether `signer` binds itself to `certificate` and says when it signed. Ids are
/// "cms-signing-certificate" and "cms-signing-time"; subject left empty.
std::vector<Finding> check_cades_attributes(const SignerInfo& signer,
                                            const crypto::Certificate& certificate);

}  // namespace signctl::cms
