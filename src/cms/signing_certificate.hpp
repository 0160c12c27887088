// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <string_view>

/// The signed attributes that bind a signature to its certificate: signingCertificate (RFC 2634,
/// 5.4) and signingCertificateV2 (RFC 5035).
namespace signctl::cms {

/// Whether the attribute has to name issuer and serial number beside the hash (CAdES does).
enum class IssuerSerial { optional, required };

/// Whether the first certificate that the attribute `oid` of `signer` names is `certificate`.
///
/// @errors `input`, worded for a finding.
Result<void> check_signing_certificate(const SignerInfo& signer,
                                       std::string_view oid,
                                       const crypto::Certificate& certificate,
                                       IssuerSerial issuer_serial);

/// The value of a signingCertificateV2 attribute. The hash algorithm is always written, also where
/// it is the default, as NuGet's clients do.
[[nodiscard]] Bytes encode_signing_certificate_v2(const crypto::Certificate& certificate,
                                                  DigestAlg alg);

}  // namespace signctl::cms
