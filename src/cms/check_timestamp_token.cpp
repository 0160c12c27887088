// SPDX-License-Identifier: Apache-2.0
#include "cms/signer_checks.hpp"
#include "cms/signing_certificate.hpp"
#include "cms/timestamp_token.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <utility>

namespace signctl::cms {
namespace {

using Findings = std::vector<Finding>;

constexpr std::chrono::milliseconds kMaxAccuracy = std::chrono::hours(1);

/// The ids under which a token's findings are known: whoever reads the report must see that it is
/// the timestamp that is wrong.
std::string_view token_finding_id(std::string_view id) {
  if (id == "weak-digest") {
    return "timestamp-weak-digest";
  }
  if (id == "message-digest" || id == "signature" || id == "signer-certificate") {
    return "timestamp-signature";
  }
  return "timestamp-structure";
}

void check_imprint(const TstInfo& info, ByteView signature, Findings& findings) {
  if (!info.imprint_alg) {
    findings.push_back(finding("timestamp-imprint",
                               "the imprint's hash algorithm " + info.imprint_oid + " is unknown"));
    return;
  }
  const DigestAlg alg = *info.imprint_alg;
  const std::string name(digest_name(alg));
  if (!is_signing_digest(alg)) {
    findings.push_back(
        finding("timestamp-weak-digest", "the imprint is made with " + name + ", which is broken"));
  }
  // The length first: a comparison over the token's own length would let an empty imprint pass.
  if (info.imprint.size() != digest_size(alg)) {
    findings.push_back(finding("timestamp-imprint",
                               "the imprint has " + std::to_string(info.imprint.size()) +
                                   " octets but " + name + " makes " +
                                   std::to_string(digest_size(alg))));
    return;
  }
  const Bytes computed = crypto::hash(alg, signature);
  if (computed != info.imprint) {
    findings.push_back(finding("timestamp-imprint",
                               "the token stamps " + to_hex(info.imprint) + " but the " + name +
                                   " of the signature is " + to_hex(computed)));
  }
}

/// RFC 3161, 2.4.1 and RFC 5816: without this binding, another certificate over the same key could
/// be put in place of the authority's.
void check_binding(const SignerInfo& signer,
                   const crypto::Certificate& certificate,
                   Findings& findings) {
  const bool has_v1 = !signer.find_signed(oid::kSigningCertificate).empty();
  const bool has_v2 = !signer.find_signed(oid::kSigningCertificateV2).empty();
  if (!has_v1 && !has_v2) {
    findings.push_back(
        finding("timestamp-certificate-binding",
                "the token has neither a signingCertificate nor a signingCertificateV2 attribute"));
  }
  if (has_v1) {
    const auto checked = check_signing_certificate(
        signer, oid::kSigningCertificate, certificate, IssuerSerial::optional);
    if (!checked) {
      findings.push_back(finding("timestamp-certificate-binding", checked.error().message));
    }
  }
  if (has_v2) {
    const auto checked = check_signing_certificate(
        signer, oid::kSigningCertificateV2, certificate, IssuerSerial::optional);
    if (!checked) {
      findings.push_back(finding("timestamp-certificate-binding", checked.error().message));
    }
  }
}

/// RFC 3161, 2.3.
void check_eku(const crypto::Certificate& certificate, Findings& findings) {
  const std::string& subject = certificate.info().subject;
  const auto& purposes = certificate.extended_key_usage();
  if (!purposes || !certificate.has_eku(oid::kTimeStamping)) {
    findings.push_back(
        finding("timestamp-eku",
                "the token's certificate is not for timestamping: " + subject +
                    (purposes ? " has other extended key usages" : " has no extended key usage")));
    return;
  }
  if (!certificate.extended_key_usage_critical()) {
    findings.push_back(finding("timestamp-eku-not-critical",
                               "the extended key usage of " + subject + " is not critical"));
  }
  if (purposes->size() != 1) {
    findings.push_back(finding("timestamp-eku-not-alone",
                               "timeStamping is one of " + std::to_string(purposes->size()) +
                                   " extended key usages of " + subject +
                                   ", expected the only one"));
  }
}

void check_info(const TstInfo& info, Findings& findings) {
  for (const auto& extension : info.critical_extensions) {
    findings.push_back(finding("timestamp-structure",
                               "the token has the unknown critical extension " + extension));
  }
  if (info.accuracy && *info.accuracy > kMaxAccuracy) {
    findings.push_back(finding("timestamp-accuracy",
                               "the authority claims no better accuracy than " +
                                   std::to_string(info.accuracy->count()) + " ms, expected " +
                                   std::to_string(kMaxAccuracy.count()) + " ms or less"));
  }
}

}  // namespace

std::vector<Finding> check_timestamp_token(const TimestampToken& token, ByteView signature) {
  Findings findings;
  const SignedData& data = token.signed_data;
  if (data.signers.empty()) {
    findings.push_back(finding("timestamp-structure", "the token has no signer"));
    return findings;
  }
  const SignerInfo& signer = data.signers.front();
  for (Finding& found : check_signer(data, signer, Flavour::timestamp_token)) {
    found.id = token_finding_id(found.id);
    findings.push_back(std::move(found));
  }
  check_imprint(token.info, signature, findings);
  check_info(token.info, findings);
  const auto certificate = find_signer_certificate(data, signer);
  if (certificate) {
    check_binding(signer, *certificate, findings);
    check_eku(*certificate, findings);
  }
  return findings;
}

}  // namespace signctl::cms
