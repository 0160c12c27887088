// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// SignedData as Authenticode uses it: PKCS#7 1.5 (RFC 2315) rather than RFC 5652, see
/// docs/formats/authenticode.md. Also reads RFC 5652 SignedData, for timestamp tokens.
namespace signctl::cms {

/// One attribute as stored.
struct Attribute {
  std::string oid;
  std::vector<Bytes> values;  ///< Complete TLVs of the SET's members.
  Bytes der;                  ///< The complete Attribute SEQUENCE.
};

/// One SignerInfo as stored.
struct SignerInfo {
  std::uint64_t version{};
  bool by_issuer_and_serial{false};
  Bytes issuer_der;  ///< Name; empty when identified by subjectKeyIdentifier.
  Bytes serial_der;  ///< INTEGER TLV.
  Bytes subject_key_id;
  std::string digest_oid;
  std::optional<DigestAlg> digest_alg;  ///< Empty for an algorithm we do not know.
  std::string signature_oid;
  Bytes signature_parameters;  ///< TLV; empty if absent.
  Bytes signature;
  bool has_signed_attributes{false};
  Bytes signed_attributes_set;  ///< As received with the tag replaced by 31: what was signed.
  std::vector<Attribute> signed_attributes;
  std::vector<Attribute> unsigned_attributes;

  /// All attributes with that OID.
  [[nodiscard]] std::vector<const Attribute*> find_signed(std::string_view oid) const;
  [[nodiscard]] std::vector<const Attribute*> find_unsigned(std::string_view oid) const;
};

/// A SignedData taken apart. Owns its bytes.
struct SignedData {
  Bytes der;  ///< The complete ContentInfo.
  std::uint64_t version{};
  std::vector<std::string> digest_oids;
  std::string content_type;             ///< Dotted eContentType.
  bool content_in_octet_string{false};  ///< RFC 5652 form; Authenticode has none.
  Bytes content;         ///< Complete TLV inside [0]; for the octet string form its value.
  Bytes hashed_content;  ///< What messageDigest covers: content octets without tag and length.
  std::vector<crypto::Certificate> certificates;  ///< X.509 ones only, stored order.
  std::size_t other_certificates{};               ///< Attribute certificates and the like, skipped.
  std::size_t crls{};
  std::size_t skipped_bytes{};  ///< Of what the two count: nothing covers them.
  std::vector<SignerInfo> signers;
};

/// Parses ContentInfo(SignedData), strict DER outside certificates. The values of unsigned
/// attributes are left to whoever knows them; the order inside a SET is not judged.
///
/// Refuses more than 64 certificates, 64 attributes a set, 64 values an attribute, 16 signers or
/// 16 MB. A SignedData without any signer or without content is refused too, so `signers` is never
/// empty.
/// @errors `input` with what was expected and at which offset.
Result<SignedData> parse_signed_data(ByteView der);

/// One SignerInfo on its own: the value of a counter-signature attribute.
Result<SignerInfo> parse_signer_info(ByteView der);

/// The key identifier that a certificate's extension of that name holds; empty without one.
[[nodiscard]] Bytes subject_key_id(const crypto::Certificate& certificate);

/// The embedded certificate that `signer` names: exactly one must match.
///
/// @errors `input` when none or several different ones match.
Result<crypto::Certificate> find_signer_certificate(const SignedData& data,
                                                    const SignerInfo& signer);

/// Structural and cryptographic checks of one signer that need no trust: exactly one digest
/// algorithm and equal everywhere, signed attributes present, contentType and messageDigest exactly
/// once and right, signature valid over the attributes as received. Findings carry ids
/// "cms-version", "cms-signer-count", "cms-digest-algorithms", "cms-attributes",
/// "cms-content-type", "cms-octet-string", "message-digest", "signer-certificate", "signature",
/// "weak-digest"; subject is left empty.
enum class Flavour {
  authenticode,     ///< PKCS #7 1.5.
  timestamp_token,  ///< RFC 5652.
  cms,              ///< RFC 5652, and the content is in an OCTET STRING.
  /// RFC 5652, 11.4: the content is another signature's value, and contentType may be absent.
  countersignature,
};
std::vector<Finding> check_signer(const SignedData& data,
                                  const SignerInfo& signer,
                                  Flavour flavour);

/// Whose rules a new SignedData follows where they differ.
enum class Form {
  authenticode,  ///< Named by issuer and serial number; certificates in order, leaf first.
  /// RFC 5652 as .NET writes it: named by subjectKeyIdentifier if the certificate has one, and
  /// versions that follow from that; certificates in DER order.
  cms,
};

/// Everything that goes into a new SignedData.
struct SignedDataParts {
  Form form{Form::authenticode};
  std::string content_type;
  Bytes econtent;  ///< Complete TLV, stored directly in [0].
  DigestAlg alg{DigestAlg::sha256};
  Bytes signed_attributes_set;  ///< From encode_signed_attributes.
  Bytes signature;
  std::vector<crypto::Certificate> chain;  ///< Leaf first.
  std::vector<Bytes> unsigned_attributes;  ///< Complete Attribute SEQUENCEs.
};

/// DER ContentInfo with one signer. A self-signed root is left out of the certificates unless it is
/// the leaf.
[[nodiscard]] Bytes encode_signed_data(const SignedDataParts& parts);

/// Attribute SEQUENCE with the given values (complete TLVs).
[[nodiscard]] Bytes encode_attribute(std::string_view oid, const std::vector<Bytes>& values);

/// `cms` with the unsigned attribute `oid` of its first signer replaced by one holding `values`, or
/// removed when `values` is empty. Everything else stays byte for byte.
Result<Bytes> with_unsigned_attribute(ByteView cms,
                                      std::string_view oid,
                                      const std::vector<Bytes>& values);

/// Whether one more signature can be nested in `primary`.
///
/// @errors `unsupported` when it has 8 already, is sealed or is meant to be.
Result<void> check_nestable(ByteView primary);

/// `primary` with `nested` appended to its nested-signature attribute.
///
/// @errors As check_nestable().
Result<Bytes> with_nested_signature(ByteView primary, ByteView nested);

}  // namespace signctl::cms
