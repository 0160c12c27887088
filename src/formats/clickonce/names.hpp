// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "formats/common/xml_signature.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string>
#include <string_view>

namespace signctl::clickonce {

inline constexpr std::string_view kAsmV1 = "urn:schemas-microsoft-com:asm.v1";
inline constexpr std::string_view kAsmV2 = "urn:schemas-microsoft-com:asm.v2";
using xml::kDsig;
inline constexpr std::string_view kRelData =
    "http://schemas.microsoft.com/windows/rel/2005/reldata";
inline constexpr std::string_view kLicense = "urn:mpeg:mpeg21:2003:01-REL-R-NS";
inline constexpr std::string_view kAuthenticode =
    "http://schemas.microsoft.com/windows/pki/2005/Authenticode";

/// The certificate's subject as X500DistinguishedName.Name of .NET writes it: last RDN first,
/// joined by ", ", `S` for the state, values quoted where they hold a special character.
[[nodiscard]] std::string subject_text(const crypto::Certificate& certificate);

/// publicKeyToken of the certificate's RSA key: the last eight bytes, reversed, of SHA-1 over the
/// strong-name public key blob (ECMA-335, II.6.3), in lower-case hex.
///
/// @errors `unsupported` for a key that is not RSA.
Result<std::string> public_key_token(const crypto::Certificate& certificate);

/// issuerKeyHash of publisherIdentity: SHA-1 of the issuer's public key, in hex. From `issuer` when
/// given, else from the leaf's authorityKeyIdentifier; empty when neither tells.
[[nodiscard]] std::string issuer_key_hash(const crypto::Certificate& leaf,
                                          const crypto::Certificate* issuer);

/// Hash attribute of ManifestInformation: hex of the digest, last byte first.
[[nodiscard]] std::string reversed_hex(ByteView digest);

}  // namespace signctl::clickonce
