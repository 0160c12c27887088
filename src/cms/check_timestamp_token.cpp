// SPDX-License-Identifier: Apache-2.0
#include "cms/signer_checks.hpp"
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

Error wrong(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

bool same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

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

/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber INTEGER }, RFC 5035, 5.4.1: for
/// certificates that are not attribute certificates, one directoryName.
Result<void> check_issuer_serial(ByteView content, const crypto::Certificate& certificate) {
  der::Parser parser(content);
  SIGNCTL_TRY(const der::Tlv names, parser.expect(der::kSequence, "ESSCertID issuer"), "");
  SIGNCTL_TRY(const der::Tlv serial, parser.expect(der::kInteger, "ESSCertID serialNumber"), "");
  SIGNCTL_CHECK(parser.end("ESSCertID issuerSerial"), "");
  der::Parser inner(names.content);
  SIGNCTL_TRY(const der::Tlv name, inner.expect(der::context(4), "ESSCertID directoryName"), "");
  SIGNCTL_CHECK(inner.end("ESSCertID issuer"), "");
  if (!same(name.content, certificate.issuer_der())) {
    return wrong("the ESSCertID names another issuer than the signer certificate's");
  }
  if (!same(serial.full, certificate.serial_der())) {
    return wrong("the ESSCertID names serial number " + to_hex(serial.content) +
                 " but the signer certificate's is " + certificate.info().serial_hex);
  }
  return ok();
}

/// The content of ESSCertID and of ESSCertIDv2 (RFC 2634, 5.4.1; RFC 5035, 4).
Result<void> check_cert_id(ByteView content,
                           DigestAlg default_alg,
                           const crypto::Certificate& certificate) {
  der::Parser parser(content);
  DigestAlg alg = default_alg;
  if (default_alg != DigestAlg::sha1 && parser.peek() == der::kSequence) {
    SIGNCTL_TRY(const der::AlgorithmId algorithm,
                der::read_algorithm(parser, "ESSCertIDv2 hashAlgorithm"),
                "");
    const auto known = oid::digest_from(algorithm.oid);
    if (!known || *known == DigestAlg::md5) {
      return wrong("the ESSCertIDv2 hash algorithm " + algorithm.oid + " is not usable");
    }
    alg = *known;
  }
  SIGNCTL_TRY(const der::Tlv hash, parser.expect(der::kOctetString, "ESSCertID certHash"), "");
  SIGNCTL_TRY(
      const auto issuer_serial, parser.optional(der::kSequence, "ESSCertID issuerSerial"), "");
  SIGNCTL_CHECK(parser.end("ESSCertID"), "");
  const Bytes computed = crypto::hash(alg, certificate.der());
  if (!same(hash.content, computed)) {
    return wrong("the ESSCertID is for a certificate with " + std::string(digest_name(alg)) + " " +
                 to_hex(hash.content) + " but the signer's has " + to_hex(computed));
  }
  return issuer_serial ? check_issuer_serial(issuer_serial->content, certificate) : ok();
}

/// SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE OF ESSCertID(v2), policies OPTIONAL }: the
/// first of certs is the signer's.
Result<void> check_signing_certificate(const SignerInfo& signer,
                                       std::string_view oid,
                                       DigestAlg default_alg,
                                       const crypto::Certificate& certificate) {
  SIGNCTL_TRY(const der::Tlv value, single_signed_value(signer, oid, der::kSequence), "");
  der::Parser parser(value.content);
  SIGNCTL_TRY(const der::Tlv certs, parser.expect(der::kSequence, "ESS certs"), "");
  der::Parser inner(certs.content);
  SIGNCTL_TRY(const der::Tlv first, inner.expect(der::kSequence, "ESSCertID"), "");
  return check_cert_id(first.content, default_alg, certificate);
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
    const auto checked =
        check_signing_certificate(signer, oid::kSigningCertificate, DigestAlg::sha1, certificate);
    if (!checked) {
      findings.push_back(finding("timestamp-certificate-binding", checked.error().message));
    }
  }
  if (has_v2) {
    const auto checked = check_signing_certificate(
        signer, oid::kSigningCertificateV2, DigestAlg::sha256, certificate);
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
