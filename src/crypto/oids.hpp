// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/digest_alg.hpp>

#include <optional>
#include <string_view>

/// Object identifiers, dotted. Names as in PKCS standards and Microsoft's wintrust.h.
namespace signctl::oid {

inline constexpr std::string_view kData = "1.2.840.113549.1.7.1";
inline constexpr std::string_view kSignedData = "1.2.840.113549.1.7.2";
inline constexpr std::string_view kContentType = "1.2.840.113549.1.9.3";
inline constexpr std::string_view kMessageDigest = "1.2.840.113549.1.9.4";
inline constexpr std::string_view kSigningTime = "1.2.840.113549.1.9.5";
inline constexpr std::string_view kCounterSignature = "1.2.840.113549.1.9.6";
inline constexpr std::string_view kSequenceNumber = "1.2.840.113549.1.9.25.4";
inline constexpr std::string_view kTstInfo = "1.2.840.113549.1.9.16.1.4";
inline constexpr std::string_view kSigningCertificate = "1.2.840.113549.1.9.16.2.12";
inline constexpr std::string_view kSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
inline constexpr std::string_view kTimeStampToken = "1.2.840.113549.1.9.16.2.14";
inline constexpr std::string_view kCommitmentType = "1.2.840.113549.1.9.16.2.16";
inline constexpr std::string_view kProofOfOrigin = "1.2.840.113549.1.9.16.6.1";
inline constexpr std::string_view kProofOfReceipt = "1.2.840.113549.1.9.16.6.2";

inline constexpr std::string_view kNugetServiceIndexUrl = "1.3.6.1.4.1.311.84.2.1.1.1";
inline constexpr std::string_view kNugetPackageOwners = "1.3.6.1.4.1.311.84.2.1.1.2";

inline constexpr std::string_view kSpcIndirectData = "1.3.6.1.4.1.311.2.1.4";
inline constexpr std::string_view kSpcStatementType = "1.3.6.1.4.1.311.2.1.11";
inline constexpr std::string_view kSpcSpOpusInfo = "1.3.6.1.4.1.311.2.1.12";
inline constexpr std::string_view kSpcPeImageData = "1.3.6.1.4.1.311.2.1.15";
inline constexpr std::string_view kSpcIndividualCodeSigning = "1.3.6.1.4.1.311.2.1.21";
inline constexpr std::string_view kSpcCommercialCodeSigning = "1.3.6.1.4.1.311.2.1.22";
inline constexpr std::string_view kSpcCabData = "1.3.6.1.4.1.311.2.1.25";
inline constexpr std::string_view kSpcPageHashesV1 = "1.3.6.1.4.1.311.2.3.1";
inline constexpr std::string_view kSpcPageHashesV2 = "1.3.6.1.4.1.311.2.3.2";
inline constexpr std::string_view kSpcNestedSignature = "1.3.6.1.4.1.311.2.4.1";
inline constexpr std::string_view kSpcIntentToSeal = "1.3.6.1.4.1.311.2.4.2";
inline constexpr std::string_view kSpcSealingSignature = "1.3.6.1.4.1.311.2.4.3";
inline constexpr std::string_view kSpcSealingTimestamp = "1.3.6.1.4.1.311.2.4.4";
inline constexpr std::string_view kSpcRfc3161Timestamp = "1.3.6.1.4.1.311.3.3.1";
inline constexpr std::string_view kCtl = "1.3.6.1.4.1.311.10.1";
inline constexpr std::string_view kCatalogList = "1.3.6.1.4.1.311.12.1.1";
inline constexpr std::string_view kCatalogMember = "1.3.6.1.4.1.311.12.1.2";
inline constexpr std::string_view kCatalogMemberV2 = "1.3.6.1.4.1.311.12.1.3";
inline constexpr std::string_view kCatNameValue = "1.3.6.1.4.1.311.12.2.1";
inline constexpr std::string_view kCatMemberInfo = "1.3.6.1.4.1.311.12.2.2";
inline constexpr std::string_view kCatMemberInfoV2 = "1.3.6.1.4.1.311.12.2.3";
inline constexpr std::string_view kLifetimeSigning = "1.3.6.1.4.1.311.10.3.13";

inline constexpr std::string_view kAnyExtendedKeyUsage = "2.5.29.37.0";
inline constexpr std::string_view kCodeSigning = "1.3.6.1.5.5.7.3.3";
inline constexpr std::string_view kTimeStamping = "1.3.6.1.5.5.7.3.8";

inline constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
inline constexpr std::string_view kEcdsaWithSha256 = "1.2.840.10045.4.3.2";
inline constexpr std::string_view kEcdsaWithSha384 = "1.2.840.10045.4.3.3";
inline constexpr std::string_view kEcdsaWithSha512 = "1.2.840.10045.4.3.4";

/// Certificate extension that marks what `dev-cert` and `rehearse` make. From the UUID arc
/// (ITU-T X.667), so nobody else uses it; non-critical, value NULL.
inline constexpr std::string_view kSignctlRehearsal =
    "2.25.204171137263254419826915138473526092417";

/// Dotted OID of a hash algorithm.
[[nodiscard]] std::string_view of(DigestAlg alg);
/// The hash algorithm with that OID.
[[nodiscard]] std::optional<DigestAlg> digest_from(std::string_view dotted);
/// A short name for people ("messageDigest", "SpcSpOpusInfo", "codeSigning"); empty if unknown.
[[nodiscard]] std::string_view name(std::string_view dotted);

}  // namespace signctl::oid
