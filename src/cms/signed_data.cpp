// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <utility>

#include <openssl/x509v3.h>

namespace signctl::cms {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxCertificates = 64;
constexpr std::size_t kMaxAttributes = 64;
constexpr std::size_t kMaxValues = 64;
constexpr std::size_t kMaxSigners = 16;
constexpr std::size_t kMaxDigestAlgorithms = 16;

Error malformed(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

Error too_many(std::string_view what, std::size_t limit) {
  return malformed("more than " + std::to_string(limit) + " " + std::string(what));
}

Bytes copy(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Hash algorithms take no parameters: absent or NULL (RFC 5754, 2).
Result<std::string> read_digest_algorithm(der::Parser& parser, std::string_view what) {
  SIGNCTL_TRY(const der::AlgorithmId algorithm, der::read_algorithm(parser, what), "");
  const ByteView parameters = algorithm.parameters;
  const bool null = parameters.size() == 2 && parameters[0] == der::kNull && parameters[1] == 0;
  if (!parameters.empty() && !null) {
    return malformed(std::string(what) + " " + algorithm.oid + " has parameters other than NULL");
  }
  return algorithm.oid;
}

Result<Attribute> read_attribute(der::Parser& parser) {
  SIGNCTL_TRY(const der::Tlv whole, parser.expect(der::kSequence, "attribute"), "");
  Attribute attribute;
  attribute.der = copy(whole.full);
  der::Parser inner(whole.content);
  SIGNCTL_TRY(attribute.oid, inner.oid("attribute type"), "");
  SIGNCTL_TRY(const der::Tlv values, inner.expect(der::kSet, "attribute values"), "");
  SIGNCTL_CHECK(inner.end("attribute"), "");
  der::Parser members(values.content);
  while (!members.at_end()) {
    if (attribute.values.size() == kMaxValues) {
      return too_many("values in attribute " + attribute.oid, kMaxValues);
    }
    SIGNCTL_TRY(const der::Tlv value, members.next("attribute value"), "");
    attribute.values.push_back(copy(value.full));
  }
  return attribute;
}

Result<std::vector<Attribute>> read_attributes(ByteView content, std::string_view what) {
  std::vector<Attribute> attributes;
  der::Parser parser(content);
  while (!parser.at_end()) {
    if (attributes.size() == kMaxAttributes) {
      return too_many(what, kMaxAttributes);
    }
    SIGNCTL_TRY(Attribute attribute, read_attribute(parser), "reading " + std::string(what));
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

/// SignerIdentifier ::= CHOICE { issuerAndSerialNumber, subjectKeyIdentifier [0] }
Result<void> read_signer_id(der::Parser& parser, SignerInfo& signer) {
  SIGNCTL_TRY(
      const auto key_id, parser.optional(der::context_primitive(0), "subjectKeyIdentifier"), "");
  if (key_id) {
    signer.subject_key_id = copy(key_id->content);
    return ok();
  }
  SIGNCTL_TRY(const der::Tlv sid, parser.expect(der::kSequence, "issuerAndSerialNumber"), "");
  der::Parser inner(sid.content);
  SIGNCTL_TRY(const der::Tlv issuer, inner.expect(der::kSequence, "issuer"), "");
  SIGNCTL_TRY(const der::Tlv serial, inner.expect(der::kInteger, "serialNumber"), "");
  SIGNCTL_CHECK(inner.end("issuerAndSerialNumber"), "");
  signer.by_issuer_and_serial = true;
  signer.issuer_der = copy(issuer.full);
  signer.serial_der = copy(serial.full);
  return ok();
}

Result<void> read_signed_attributes(der::Parser& parser, SignerInfo& signer) {
  SIGNCTL_TRY(const auto stored, parser.optional(der::context(0), "signed attributes"), "");
  if (!stored) {
    return ok();
  }
  SIGNCTL_CHECK(der::check_strict(stored->full), "reading the signed attributes");
  signer.has_signed_attributes = true;
  // RFC 5652, 5.4: the EXPLICIT SET OF tag is hashed, not the [0] that is stored. Nothing else may
  // change: re-encoding would hide a malleable original.
  signer.signed_attributes_set = copy(stored->full);
  signer.signed_attributes_set[0] = der::kSet;
  SIGNCTL_TRY(signer.signed_attributes, read_attributes(stored->content, "signed attributes"), "");
  return ok();
}

Result<SignerInfo> read_signer_info(ByteView content) {
  der::Parser parser(content);
  SignerInfo signer;
  SIGNCTL_TRY(signer.version, parser.small_integer("SignerInfo version"), "");
  SIGNCTL_CHECK(read_signer_id(parser, signer), "");
  SIGNCTL_TRY(signer.digest_oid, read_digest_algorithm(parser, "digestAlgorithm"), "");
  signer.digest_alg = oid::digest_from(signer.digest_oid);
  SIGNCTL_CHECK(read_signed_attributes(parser, signer), "");
  SIGNCTL_TRY(
      const der::AlgorithmId algorithm, der::read_algorithm(parser, "signatureAlgorithm"), "");
  SIGNCTL_CHECK(der::check_strict(algorithm.parameters), "reading the signature algorithm");
  signer.signature_oid = algorithm.oid;
  signer.signature_parameters = copy(algorithm.parameters);
  SIGNCTL_TRY(const der::Tlv signature, parser.expect(der::kOctetString, "signature"), "");
  signer.signature = copy(signature.content);
  SIGNCTL_TRY(const auto attributes, parser.optional(der::context(1), "unsigned attributes"), "");
  if (attributes) {
    SIGNCTL_TRY(signer.unsigned_attributes,
                read_attributes(attributes->content, "unsigned attributes"),
                "");
    // RFC 5652, 5.3: SET SIZE (1..MAX). One without would look like a timestamp that is not there.
    for (const Attribute& attribute : signer.unsigned_attributes) {
      if (attribute.values.empty()) {
        return malformed("unsigned attribute " + attribute.oid + " has no value");
      }
    }
  }
  SIGNCTL_CHECK(parser.end("SignerInfo"), "");
  return signer;
}

Result<void> read_digest_algorithms(der::Parser& parser, SignedData& data) {
  SIGNCTL_TRY(const der::Tlv algorithms, parser.expect(der::kSet, "digestAlgorithms"), "");
  der::Parser inner(algorithms.content);
  while (!inner.at_end()) {
    if (data.digest_oids.size() == kMaxDigestAlgorithms) {
      return too_many("digest algorithms", kMaxDigestAlgorithms);
    }
    SIGNCTL_TRY(std::string algorithm, read_digest_algorithm(inner, "digestAlgorithm"), "");
    data.digest_oids.push_back(std::move(algorithm));
  }
  return ok();
}

Result<void> read_content(der::Parser& parser, SignedData& data) {
  SIGNCTL_TRY(const der::Tlv info, parser.expect(der::kSequence, "encapContentInfo"), "");
  der::Parser inner(info.content);
  SIGNCTL_TRY(data.content_type, inner.oid("content type"), "");
  SIGNCTL_TRY(const der::Tlv wrapper, inner.expect(der::context(0), "content"), "");
  SIGNCTL_CHECK(inner.end("encapContentInfo"), "");
  der::Parser content(wrapper.content);
  SIGNCTL_TRY(const der::Tlv value, content.next("content"), "");
  SIGNCTL_CHECK(content.end("content"), "");
  constexpr std::uint8_t kConstructedOctetString = 0x24;
  if (value.tag == kConstructedOctetString) {
    return malformed("the content is a constructed OCTET STRING, which is BER");
  }
  SIGNCTL_CHECK(der::check_strict(value.full), "reading the content");
  data.content_in_octet_string = value.tag == der::kOctetString;
  data.content = copy(data.content_in_octet_string ? value.content : value.full);
  data.hashed_content = copy(value.content);
  return ok();
}

Result<void> read_certificates(ByteView content, SignedData& data) {
  der::Parser parser(content);
  while (!parser.at_end()) {
    const std::size_t count = data.certificates.size() + data.other_certificates;
    if (count == kMaxCertificates) {
      return too_many("certificates", kMaxCertificates);
    }
    SIGNCTL_TRY(const der::Tlv choice, parser.next("certificate"), "");
    // RFC 5652, 10.2.2: [0] PKCS#6, [1] and [2] attribute certificates, [3] anything. Microsoft's
    // timestamp authorities send [1].
    if (choice.tag >= der::context(0) && choice.tag <= der::context(3)) {
      ++data.other_certificates;
      data.skipped_bytes += choice.full.size();
      continue;
    }
    SIGNCTL_TRY(crypto::Certificate certificate,
                crypto::Certificate::parse(choice.full),
                "reading certificate " + std::to_string(count + 1));
    data.certificates.push_back(std::move(certificate));
  }
  return ok();
}

Result<void> count_crls(ByteView content, SignedData& data) {
  der::Parser parser(content);
  while (!parser.at_end()) {
    SIGNCTL_TRY(const der::Tlv crl, parser.next("CRL"), "");
    ++data.crls;
    data.skipped_bytes += crl.full.size();
  }
  return ok();
}

Result<void> read_signers(der::Parser& parser, SignedData& data) {
  SIGNCTL_TRY(const der::Tlv signers, parser.expect(der::kSet, "signerInfos"), "");
  der::Parser inner(signers.content);
  while (!inner.at_end()) {
    if (data.signers.size() == kMaxSigners) {
      return too_many("signers", kMaxSigners);
    }
    SIGNCTL_TRY(const der::Tlv info, inner.expect(der::kSequence, "SignerInfo"), "");
    SIGNCTL_TRY(SignerInfo signer,
                read_signer_info(info.content),
                "reading SignerInfo " + std::to_string(data.signers.size() + 1));
    data.signers.push_back(std::move(signer));
  }
  if (data.signers.empty()) {
    return malformed("the SignedData has no SignerInfo");
  }
  return ok();
}

Result<void> read_signed_data(ByteView content, SignedData& data) {
  der::Parser parser(content);
  SIGNCTL_TRY(data.version, parser.small_integer("SignedData version"), "");
  SIGNCTL_CHECK(read_digest_algorithms(parser, data), "");
  SIGNCTL_CHECK(read_content(parser, data), "");
  SIGNCTL_TRY(const auto certificates, parser.optional(der::context(0), "certificates"), "");
  SIGNCTL_CHECK(read_certificates(certificates ? certificates->content : ByteView(), data), "");
  SIGNCTL_TRY(const auto crls, parser.optional(der::context(1), "crls"), "");
  SIGNCTL_CHECK(count_crls(crls ? crls->content : ByteView(), data), "");
  SIGNCTL_CHECK(read_signers(parser, data), "");
  return parser.end("SignedData");
}

std::vector<const Attribute*> find_in(const std::vector<Attribute>& attributes,
                                      std::string_view oid) {
  std::vector<const Attribute*> found;
  for (const auto& attribute : attributes) {
    if (attribute.oid == oid) {
      found.push_back(&attribute);
    }
  }
  return found;
}

bool names(const SignerInfo& signer, const crypto::Certificate& certificate) {
  if (!signer.by_issuer_and_serial) {
    return !signer.subject_key_id.empty() && subject_key_id(certificate) == signer.subject_key_id;
  }
  const ByteView issuer = certificate.issuer_der();
  const ByteView serial = certificate.serial_der();
  return std::equal(
             issuer.begin(), issuer.end(), signer.issuer_der.begin(), signer.issuer_der.end()) &&
         std::equal(
             serial.begin(), serial.end(), signer.serial_der.begin(), signer.serial_der.end());
}

std::string describe_id(const SignerInfo& signer) {
  if (!signer.by_issuer_and_serial) {
    return "subject key identifier " + to_hex(signer.subject_key_id);
  }
  der::Parser serial(signer.serial_der);
  const auto number = serial.next("serialNumber");
  return "its issuer and serial number " + (number ? to_hex(number->content) : std::string("?"));
}

}  // namespace

std::vector<const Attribute*> SignerInfo::find_signed(std::string_view oid) const {
  return find_in(signed_attributes, oid);
}

std::vector<const Attribute*> SignerInfo::find_unsigned(std::string_view oid) const {
  return find_in(unsigned_attributes, oid);
}

Result<SignedData> parse_signed_data(ByteView der) {
  if (der.size() > kMaxBytes) {
    return malformed("a signature of " + std::to_string(der.size()) +
                     " octets is over the limit of " + std::to_string(kMaxBytes));
  }
  SIGNCTL_TRY(const der::Tlv info, der::parse_whole(der, der::kSequence, "ContentInfo"), "");
  der::Parser parser(info.content);
  SIGNCTL_TRY(const std::string type, parser.oid("ContentInfo type"), "");
  if (type != oid::kSignedData) {
    return malformed("the ContentInfo is of type " + type + ", not signedData");
  }
  SIGNCTL_TRY(const der::Tlv wrapper, parser.expect(der::context(0), "SignedData"), "");
  SIGNCTL_CHECK(parser.end("ContentInfo"), "");
  SIGNCTL_TRY(
      const der::Tlv body, der::parse_whole(wrapper.content, der::kSequence, "SignedData"), "");
  SignedData data;
  data.der = copy(der);
  SIGNCTL_CHECK(read_signed_data(body.content, data), "");
  return data;
}

Bytes subject_key_id(const crypto::Certificate& certificate) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate.x509());
  if (id == nullptr) {
    return {};
  }
  const ByteView octets(ASN1_STRING_get0_data(id),
                        static_cast<std::size_t>(ASN1_STRING_length(id)));
  return {octets.begin(), octets.end()};
}

Result<SignerInfo> parse_signer_info(ByteView der) {
  SIGNCTL_TRY(const der::Tlv whole, der::parse_whole(der, der::kSequence, "SignerInfo"), "");
  return read_signer_info(whole.content);
}

Result<crypto::Certificate> find_signer_certificate(const SignedData& data,
                                                    const SignerInfo& signer) {
  const crypto::Certificate* found = nullptr;
  for (const auto& certificate : data.certificates) {
    if (!names(signer, certificate)) {
      continue;
    }
    if (found != nullptr && !(*found == certificate)) {
      return malformed("several different certificates match the signer by " + describe_id(signer));
    }
    found = &certificate;
  }
  if (found == nullptr) {
    return malformed("none of the " + std::to_string(data.certificates.size()) +
                     " embedded certificates matches the signer by " + describe_id(signer));
  }
  return *found;
}

}  // namespace signctl::cms
