// SPDX-License-Identifier: Apache-2.0
#include "timestamp/authority.hpp"

#include "cms/signed_data.hpp"
#include "cms/timestamp_token.hpp"
#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/oids.hpp"

#include <array>
#include <utility>
#include <vector>

namespace signctl::timestamp {

namespace {

constexpr std::size_t kMaxFileBytes = 1U << 20U;
constexpr DigestAlg kAlg = DigestAlg::sha256;
/// Policy of our tokens, below the rehearsal mark's arc.
constexpr std::string_view kPolicy = "2.25.204171137263254419826915138473526092417.1";

/// What a TimeStampReq asks (RFC 3161, 2.4.1).
struct Query {
  Bytes imprint;       ///< MessageImprint, complete TLV.
  std::string policy;  ///< Dotted; empty if any will do.
  Bytes nonce;         ///< INTEGER, complete TLV; empty if absent.
  bool certificates{false};
};

Bytes copy(ByteView view) {
  return {view.begin(), view.end()};
}

Result<Query> parse_query(ByteView der) {
  SIGNCTL_TRY(const der::Tlv outer, der::parse_whole(der, der::kSequence, "TimeStampReq"), "");
  der::Parser parser(outer.content);
  SIGNCTL_TRY(const std::uint64_t version, parser.small_integer("version"), "");
  SIGNCTL_TRY(const der::Tlv imprint, parser.expect(der::kSequence, "messageImprint"), "");
  SIGNCTL_TRY(const auto policy, parser.optional(der::kOid, "reqPolicy"), "");
  SIGNCTL_TRY(const auto nonce, parser.optional(der::kInteger, "nonce"), "");
  SIGNCTL_TRY(const auto want, parser.optional(der::kBoolean, "certReq"), "");
  if (version != 1) {
    return Error{ErrorKind::input, "TimeStampReq of version " + std::to_string(version)};
  }
  der::Parser inside(imprint.content);
  SIGNCTL_TRY(const auto algorithm, der::read_algorithm(inside, "hashAlgorithm"), "");
  SIGNCTL_TRY(const der::Tlv digest, inside.expect(der::kOctetString, "hashedMessage"), "");
  const auto alg = oid::digest_from(algorithm.oid);
  if (!alg || digest.content.size() != digest_size(*alg)) {
    return Error{ErrorKind::input,
                 "TimeStampReq with an unknown hash or a digest of the wrong size"};
  }
  Query query{copy(imprint.full), {}, nonce ? copy(nonce->full) : Bytes{}, false};
  if (policy) {
    SIGNCTL_TRY(query.policy, der::oid_text(policy->content), "");
  }
  query.certificates = want && want->content.size() == 1 && want->content[0] != 0;
  return query;
}

Bytes encode_tst_info(const Query& query, TimePoint now) {
  const Bytes serial = der::unsigned_integer(crypto::random_bytes(15));
  return der::sequence({der::integer(1),
                        der::oid(kPolicy),
                        query.imprint,
                        serial,
                        der::generalized_time(now.time_since_epoch().count()),
                        der::sequence({der::integer(1)}),
                        query.nonce});
}

/// ESSCertIDv2 (RFC 5035, 3): SHA-256 is the default, and so not written.
Bytes encode_certificate_binding(const crypto::Certificate& certificate) {
  const Bytes issuer = der::sequence({der::tlv(der::context(4), certificate.issuer_der())});
  const Bytes issuer_serial = der::sequence({issuer, certificate.serial_der()});
  const Bytes hash = der::octet_string(crypto::hash(DigestAlg::sha256, certificate.der()));
  return der::sequence({der::sequence({der::sequence({hash, issuer_serial})})});
}

Bytes encode_attributes(const Bytes& tst_info, const crypto::Certificate& certificate) {
  return der::set_of({cms::encode_attribute(oid::kContentType, {der::oid(oid::kTstInfo)}),
                      cms::encode_attribute(oid::kMessageDigest,
                                            {der::octet_string(crypto::hash(kAlg, tst_info))}),
                      cms::encode_attribute(oid::kSigningCertificateV2,
                                            {encode_certificate_binding(certificate)})});
}

/// PKIStatus rejection with PKIFailureInfo unacceptedPolicy, bit 15 (RFC 3161, 2.4.2).
Bytes encode_unaccepted_policy() {
  constexpr std::array<std::uint8_t, 3> kBit15{0x00, 0x00, 0x01};
  return der::sequence(
      {der::sequence({der::integer(2), der::tlv(der::kBitString, ByteView(kBit15))})});
}

/// SignedData of RFC 5652: version 3, because the content is not id-data; content in an OCTET
/// STRING.
Result<Bytes> encode_token(const crypto::KeyBundle& bundle, const Query& query, TimePoint now) {
  const crypto::Certificate& certificate = bundle.chain.front();
  const Bytes tst_info = encode_tst_info(query, now);
  const Bytes attributes = encode_attributes(tst_info, certificate);
  SIGNCTL_TRY(const Bytes signature,
              bundle.key.sign_digest(crypto::hash(kAlg, attributes), kAlg),
              "signing a timestamp");
  Bytes stored_attributes = attributes;
  stored_attributes[0] = der::context(0);
  const Bytes digest_algorithm = der::algorithm_with_null(oid::of(kAlg));
  const Bytes signature_algorithm = bundle.key.facts().type == crypto::KeyType::ec
                                        ? der::algorithm_bare(oid::kEcdsaWithSha256)
                                        : der::algorithm_with_null(oid::kRsaEncryption);
  const Bytes signer =
      der::sequence({der::integer(1),
                     der::sequence({certificate.issuer_der(), certificate.serial_der()}),
                     digest_algorithm,
                     stored_attributes,
                     signature_algorithm,
                     der::octet_string(signature)});
  const Bytes content = der::sequence(
      {der::oid(oid::kTstInfo), der::tlv(der::context(0), der::octet_string(tst_info))});
  const Bytes certificates =
      query.certificates ? der::tlv(der::context(0), certificate.der()) : Bytes{};
  const Bytes signed_data = der::sequence(
      {der::integer(3), der::set({digest_algorithm}), content, certificates, der::set({signer})});
  return der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), signed_data)});
}

}  // namespace

Result<Authority> Authority::create(TimePoint now) {
  SIGNCTL_TRY(
      crypto::PrivateKey key, crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256), "");
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "signctl rehearsal timestamp authority"}};
  wanted.not_before = now - std::chrono::days(1);
  wanted.not_after = now + std::chrono::days(3650);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = "critical,timeStamping";
  SIGNCTL_TRY(auto certificate, crypto::issue_certificate(wanted, key, nullptr), "");
  return Authority({std::move(key), {std::move(certificate)}});
}

Result<Authority> Authority::load(std::string_view path_utf8) {
  const std::string step = "reading the timestamp authority " + std::string(path_utf8);
  SIGNCTL_TRY(const Bytes pem, read_file(path_utf8, kMaxFileBytes), step);
  SIGNCTL_TRY(crypto::PrivateKey key, crypto::read_private_key(pem, Secret()), step);
  SIGNCTL_TRY(auto certificates, crypto::read_certificates(pem), step);
  if (!key.matches(certificates.front())) {
    return Error{
        ErrorKind::input,
        "the key and the certificate in " + std::string(path_utf8) + " do not belong together",
        "make a new one with signctl dev-cert"};
  }
  return Authority({std::move(key), std::move(certificates)});
}

Result<void> Authority::save(std::string_view path_utf8) const {
  SIGNCTL_TRY(const Secret key, crypto::to_pem(bundle_.key), "");
  const Secret pem(std::string(key.reveal()) + crypto::to_pem(bundle_.chain));
  return write_file(path_utf8, as_bytes(pem.reveal()), Existing::replace, FileAccess::owner_only);
}

Result<Bytes> Authority::respond(ByteView request, TimePoint now) const {
  SIGNCTL_TRY(const Query query, parse_query(request), "reading a timestamp request");
  if (!query.policy.empty() && query.policy != kPolicy) {
    return encode_unaccepted_policy();
  }
  SIGNCTL_TRY(const Bytes token, encode_token(bundle_, query, now), "");
  // PKIStatus granted (RFC 3161, 2.4.2).
  return der::sequence({der::sequence({der::integer(0)}), token});
}

}  // namespace signctl::timestamp
