// SPDX-License-Identifier: Apache-2.0
#include "cms/signer_checks.hpp"

#include "core/assert.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace signctl::cms {
namespace {

/// A signature algorithm that names its hash.
struct CombinedAlgorithm {
  std::string_view oid;
  crypto::KeyType key;
  DigestAlg digest;
};

// RFC 8017, A.2.4 and RFC 5758, 3.2.
constexpr std::array<CombinedAlgorithm, 9> kCombined{{
    {"1.2.840.113549.1.1.4", crypto::KeyType::rsa, DigestAlg::md5},
    {"1.2.840.113549.1.1.5", crypto::KeyType::rsa, DigestAlg::sha1},
    {"1.2.840.113549.1.1.11", crypto::KeyType::rsa, DigestAlg::sha256},
    {"1.2.840.113549.1.1.12", crypto::KeyType::rsa, DigestAlg::sha384},
    {"1.2.840.113549.1.1.13", crypto::KeyType::rsa, DigestAlg::sha512},
    {"1.2.840.10045.4.1", crypto::KeyType::ec, DigestAlg::sha1},
    {oid::kEcdsaWithSha256, crypto::KeyType::ec, DigestAlg::sha256},
    {oid::kEcdsaWithSha384, crypto::KeyType::ec, DigestAlg::sha384},
    {oid::kEcdsaWithSha512, crypto::KeyType::ec, DigestAlg::sha512},
}};

constexpr std::string_view kRsassaPss = "1.2.840.113549.1.1.10";

Error wrong(std::string message) {
  return Error{ErrorKind::input, std::move(message)};
}

std::string attribute_label(std::string_view dotted) {
  const std::string_view name = oid::name(dotted);
  return std::string(name.empty() ? dotted : name);
}

Result<void> check_parameters(const SignerInfo& signer) {
  const Bytes& parameters = signer.signature_parameters;
  const bool null = parameters.size() == 2 && parameters[0] == der::kNull && parameters[1] == 0;
  if (parameters.empty() || null) {
    return ok();
  }
  return wrong("the signature algorithm " + signer.signature_oid +
               " has parameters other than NULL: " + to_hex(parameters));
}

Result<void> check_key(crypto::KeyType wanted,
                       const SignerInfo& signer,
                       const crypto::Certificate& certificate) {
  if (certificate.key().type == wanted) {
    return ok();
  }
  return wrong("the signature algorithm " + signer.signature_oid +
               " does not fit the certificate's key, " + certificate.info().key);
}

}  // namespace

Finding finding(std::string_view id, std::string message, Severity severity) {
  Finding made;
  made.id = id;
  made.severity = severity;
  made.message = std::move(message);
  return made;
}

Result<der::Tlv> single_signed_value(const SignerInfo& signer,
                                     std::string_view oid,
                                     std::uint8_t tag) {
  const auto found = signer.find_signed(oid);
  if (found.size() != 1) {
    return wrong("the signed attribute " + attribute_label(oid) + " occurs " +
                 std::to_string(found.size()) + " times, expected once");
  }
  const auto& values = found.front()->values;
  if (values.size() != 1) {
    return wrong("the signed attribute " + attribute_label(oid) + " has " +
                 std::to_string(values.size()) + " values, expected one");
  }
  der::Parser parser(values.front());
  SIGNCTL_TRY(const der::Tlv value, parser.next(attribute_label(oid)), "");
  if (value.tag != tag) {
    return wrong("the signed attribute " + attribute_label(oid) + " has ASN.1 tag 0x" +
                 to_hex(ByteView(&value.tag, 1)) + ", expected 0x" + to_hex(ByteView(&tag, 1)));
  }
  return value;
}

Result<void> check_signature_algorithm(const SignerInfo& signer,
                                       const crypto::Certificate& certificate) {
  if (signer.signature_oid == kRsassaPss) {
    return wrong("the signature is RSASSA-PSS, which Authenticode does not know");
  }
  SIGNCTL_CHECK(check_parameters(signer), "");
  if (signer.signature_oid == oid::kRsaEncryption) {
    return check_key(crypto::KeyType::rsa, signer, certificate);
  }
  const auto* combined =
      std::find_if(kCombined.begin(), kCombined.end(), [&](const CombinedAlgorithm& known) {
        return known.oid == signer.signature_oid;
      });
  if (combined == kCombined.end()) {
    return wrong("the signature algorithm " + signer.signature_oid + " is unknown");
  }
  SIGNCTL_CHECK(check_key(combined->key, signer, certificate), "");
  if (signer.digest_alg != combined->digest) {
    return wrong("the signature algorithm " + signer.signature_oid + " implies " +
                 std::string(digest_name(combined->digest)) + " but the digest algorithm is " +
                 digest_label(signer));
  }
  return ok();
}

Result<void> check_message_digest(const SignerInfo& signer,
                                  ByteView stored_digest,
                                  ByteView content) {
  SIGNCTL_ASSERT(signer.digest_alg.has_value());
  const DigestAlg alg = signer.digest_alg.value_or(DigestAlg::sha256);
  const std::string name(digest_name(alg));
  if (stored_digest.size() != digest_size(alg)) {
    return wrong("the messageDigest attribute has " + std::to_string(stored_digest.size()) +
                 " octets but " + name + " makes " + std::to_string(digest_size(alg)));
  }
  const Bytes computed = crypto::hash(alg, content);
  if (!std::equal(computed.begin(), computed.end(), stored_digest.begin(), stored_digest.end())) {
    return wrong("the messageDigest attribute is " + to_hex(stored_digest) + " but the " + name +
                 " of the content is " + to_hex(computed));
  }
  return ok();
}

Bytes signed_digest(const SignerInfo& signer) {
  SIGNCTL_ASSERT(signer.digest_alg.has_value());
  return crypto::hash(signer.digest_alg.value_or(DigestAlg::sha256), signer.signed_attributes_set);
}

std::string digest_label(const SignerInfo& signer) {
  return signer.digest_alg ? std::string(digest_name(*signer.digest_alg)) : signer.digest_oid;
}

}  // namespace signctl::cms
