// SPDX-License-Identifier: Apache-2.0
#include "cms/signing_certificate.hpp"

#include "cms/signer_checks.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::cms {
namespace {

Error wrong(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

bool same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
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
                           const crypto::Certificate& certificate,
                           IssuerSerial wanted) {
  der::Parser parser(content);
  DigestAlg alg = default_alg;
  if (default_alg != DigestAlg::sha1 && parser.peek() == der::kSequence) {
    SIGNCTL_TRY(const der::AlgorithmId algorithm,
                der::read_algorithm(parser, "ESSCertIDv2 hashAlgorithm"),
                "");
    const auto known = oid::digest_from(algorithm.oid);
    const bool weak = known && !is_signing_digest(*known);
    if (!known || *known == DigestAlg::md5 || (weak && wanted == IssuerSerial::required)) {
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
  if (issuer_serial) {
    return check_issuer_serial(issuer_serial->content, certificate);
  }
  return wanted == IssuerSerial::required ? wrong("the ESSCertID names no issuer and serial number")
                                          : ok();
}

}  // namespace

/// SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE OF ESSCertID(v2), policies OPTIONAL }: the
/// first of certs is the signer's.
Result<void> check_signing_certificate(const SignerInfo& signer,
                                       std::string_view oid,
                                       const crypto::Certificate& certificate,
                                       IssuerSerial issuer_serial) {
  const DigestAlg default_alg =
      oid == oid::kSigningCertificate ? DigestAlg::sha1 : DigestAlg::sha256;
  SIGNCTL_TRY(const der::Tlv value, single_signed_value(signer, oid, der::kSequence), "");
  der::Parser parser(value.content);
  SIGNCTL_TRY(const der::Tlv certs, parser.expect(der::kSequence, "ESS certs"), "");
  der::Parser inner(certs.content);
  SIGNCTL_TRY(const der::Tlv first, inner.expect(der::kSequence, "ESSCertID"), "");
  return check_cert_id(first.content, default_alg, certificate, issuer_serial);
}

Bytes encode_signing_certificate_v2(const crypto::Certificate& certificate, DigestAlg alg) {
  const Bytes hash = crypto::hash(alg, certificate.der());
  const Bytes issuer = der::sequence({der::tlv(der::context(4), certificate.issuer_der())});
  const Bytes cert_id = der::sequence({der::algorithm_bare(oid::of(alg)),
                                       der::octet_string(hash),
                                       der::sequence({issuer, certificate.serial_der()})});
  return der::sequence({der::sequence({cert_id})});
}

}  // namespace signctl::cms
