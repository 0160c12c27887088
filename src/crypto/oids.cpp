// SPDX-License-Identifier: Apache-2.0
#include "crypto/oids.hpp"

#include <array>
#include <utility>

namespace signctl::oid {

namespace {

struct DigestRow {
  DigestAlg alg;
  std::string_view oid;
};

constexpr std::array kDigests{
    DigestRow{DigestAlg::md5, "1.2.840.113549.2.5"},
    DigestRow{DigestAlg::sha1, "1.3.14.3.2.26"},
    DigestRow{DigestAlg::sha256, "2.16.840.1.101.3.4.2.1"},
    DigestRow{DigestAlg::sha384, "2.16.840.1.101.3.4.2.2"},
    DigestRow{DigestAlg::sha512, "2.16.840.1.101.3.4.2.3"},
};

constexpr std::array kNames{
    std::pair{kData, std::string_view("data")},
    std::pair{kSignedData, std::string_view("signedData")},
    std::pair{kContentType, std::string_view("contentType")},
    std::pair{kMessageDigest, std::string_view("messageDigest")},
    std::pair{kSigningTime, std::string_view("signingTime")},
    std::pair{kCounterSignature, std::string_view("countersignature")},
    std::pair{kSequenceNumber, std::string_view("sequenceNumber")},
    std::pair{kTstInfo, std::string_view("TSTInfo")},
    std::pair{kSigningCertificate, std::string_view("signingCertificate")},
    std::pair{kSigningCertificateV2, std::string_view("signingCertificateV2")},
    std::pair{kTimeStampToken, std::string_view("timeStampToken")},
    std::pair{kCommitmentType, std::string_view("commitmentTypeIndication")},
    std::pair{kProofOfOrigin, std::string_view("proofOfOrigin")},
    std::pair{kProofOfReceipt, std::string_view("proofOfReceipt")},
    std::pair{kNugetServiceIndexUrl, std::string_view("nugetV3ServiceIndexUrl")},
    std::pair{kNugetPackageOwners, std::string_view("nugetPackageOwners")},
    std::pair{kSpcIndirectData, std::string_view("SpcIndirectDataContent")},
    std::pair{kSpcStatementType, std::string_view("SpcStatementType")},
    std::pair{kSpcSpOpusInfo, std::string_view("SpcSpOpusInfo")},
    std::pair{kSpcPeImageData, std::string_view("SpcPeImageData")},
    std::pair{kSpcIndividualCodeSigning, std::string_view("individualCodeSigning")},
    std::pair{kSpcCommercialCodeSigning, std::string_view("commercialCodeSigning")},
    std::pair{kSpcCabData, std::string_view("SpcCabData")},
    std::pair{kSpcPageHashesV1, std::string_view("SpcPageHashesV1")},
    std::pair{kSpcPageHashesV2, std::string_view("SpcPageHashesV2")},
    std::pair{kSpcNestedSignature, std::string_view("SpcNestedSignature")},
    std::pair{kSpcIntentToSeal, std::string_view("SpcIntentToSeal")},
    std::pair{kSpcSealingSignature, std::string_view("SpcSealingSignature")},
    std::pair{kSpcSealingTimestamp, std::string_view("SpcSealingTimestamp")},
    std::pair{kSpcRfc3161Timestamp, std::string_view("SpcRfc3161Timestamp")},
    std::pair{kCtl, std::string_view("certTrustList")},
    std::pair{kCatNameValue, std::string_view("CatNameValue")},
    std::pair{kCatMemberInfo, std::string_view("CatMemberInfo")},
    std::pair{kCatMemberInfoV2, std::string_view("CatMemberInfoV2")},
    std::pair{kLifetimeSigning, std::string_view("lifetimeSigning")},
    std::pair{kAnyExtendedKeyUsage, std::string_view("anyExtendedKeyUsage")},
    std::pair{kCodeSigning, std::string_view("codeSigning")},
    std::pair{kTimeStamping, std::string_view("timeStamping")},
    std::pair{kRsaEncryption, std::string_view("rsaEncryption")},
    std::pair{kEcdsaWithSha256, std::string_view("ecdsa-with-SHA256")},
    std::pair{kEcdsaWithSha384, std::string_view("ecdsa-with-SHA384")},
    std::pair{kEcdsaWithSha512, std::string_view("ecdsa-with-SHA512")},
    std::pair{kSignctlRehearsal, std::string_view("signctlRehearsal")},
};

}  // namespace

std::string_view of(DigestAlg alg) {
  return kDigests.at(static_cast<std::size_t>(alg)).oid;
}

std::optional<DigestAlg> digest_from(std::string_view dotted) {
  for (const DigestRow& row : kDigests) {
    if (row.oid == dotted) {
      return row.alg;
    }
  }
  return std::nullopt;
}

std::string_view name(std::string_view dotted) {
  for (const auto& [oid, text] : kNames) {
    if (oid == dotted) {
      return text;
    }
  }
  return {};
}

}  // namespace signctl::oid
