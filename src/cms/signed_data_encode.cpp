// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"
#include "core/assert.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <utility>

namespace signctl::cms {
namespace {

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// RSA is named by the key's own algorithm, as PKCS#7 1.5 has it and signtool writes it; ECDSA
/// names the hash and has no parameters (RFC 5758, 3.2).
Bytes signature_algorithm(crypto::KeyType key, DigestAlg alg) {
  if (key == crypto::KeyType::rsa) {
    return der::algorithm_with_null(oid::kRsaEncryption);
  }
  SIGNCTL_ASSERT(key == crypto::KeyType::ec);
  SIGNCTL_ASSERT(is_signing_digest(alg));
  switch (alg) {
    case DigestAlg::sha384:
      return der::algorithm_bare(oid::kEcdsaWithSha384);
    case DigestAlg::sha512:
      return der::algorithm_bare(oid::kEcdsaWithSha512);
    case DigestAlg::sha256:
    case DigestAlg::md5:
    case DigestAlg::sha1:
      break;
  }
  return der::algorithm_bare(oid::kEcdsaWithSha256);
}

/// [0] IMPLICIT certificates, each once, without self-signed roots.
Bytes encode_certificates(const std::vector<crypto::Certificate>& chain, Form form) {
  std::vector<const crypto::Certificate*> kept;
  for (const auto& certificate : chain) {
    const bool leaf = kept.empty();
    const bool repeated = std::any_of(
        kept.begin(), kept.end(), [&](const auto* known) { return *known == certificate; });
    if (repeated || (!leaf && certificate.info().self_signed)) {
      continue;
    }
    kept.push_back(&certificate);
  }
  std::vector<Bytes> encoded;
  encoded.reserve(kept.size());
  for (const crypto::Certificate* certificate : kept) {
    encoded.push_back(certificate->der());
  }
  return form == Form::cms ? der::set_of(std::move(encoded), der::context(0))
                           : der::tlv(der::context(0), joined(encoded));
}

/// Version and SignerIdentifier, which go together (RFC 5652, 5.3).
struct SignerName {
  std::uint64_t version{1};
  Bytes sid;
};

SignerName name_signer(const crypto::Certificate& leaf, Form form) {
  const Bytes key_id = form == Form::cms ? subject_key_id(leaf) : Bytes{};
  if (!key_id.empty()) {
    return {3, der::tlv(der::context_primitive(0), key_id)};
  }
  return {1, der::sequence({leaf.issuer_der(), leaf.serial_der()})};
}

Bytes encode_signer_info(const SignedDataParts& parts) {
  const crypto::Certificate& leaf = parts.chain.front();
  const SignerName name = name_signer(leaf, parts.form);
  const Bytes version = der::integer(name.version);
  const Bytes digest_algorithm = der::algorithm_with_null(oid::of(parts.alg));
  Bytes signed_attributes = parts.signed_attributes_set;
  signed_attributes[0] = der::context(0);
  const Bytes algorithm = signature_algorithm(leaf.key().type, parts.alg);
  const Bytes signature = der::octet_string(parts.signature);
  const Bytes unsigned_attributes = parts.unsigned_attributes.empty()
                                        ? Bytes{}
                                        : der::set_of(parts.unsigned_attributes, der::context(1));
  return der::sequence({version,
                        name.sid,
                        digest_algorithm,
                        signed_attributes,
                        algorithm,
                        signature,
                        unsigned_attributes});
}

}  // namespace

Bytes encode_signed_data(const SignedDataParts& parts) {
  SIGNCTL_ASSERT(!parts.chain.empty());
  SIGNCTL_ASSERT(!parts.signed_attributes_set.empty());
  SIGNCTL_ASSERT(parts.signed_attributes_set[0] == der::kSet);
  // RFC 5652, 5.1: as high as the SignerInfo's; id-data asks for no more.
  const Bytes version = der::integer(name_signer(parts.chain.front(), parts.form).version);
  const Bytes digest_algorithms = der::set({der::algorithm_with_null(oid::of(parts.alg))});
  const Bytes content =
      der::sequence({der::oid(parts.content_type), der::tlv(der::context(0), parts.econtent)});
  const Bytes certificates = encode_certificates(parts.chain, parts.form);
  const Bytes signers = der::set({encode_signer_info(parts)});
  const Bytes signed_data =
      der::sequence({version, digest_algorithms, content, certificates, signers});
  return der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), signed_data)});
}

}  // namespace signctl::cms
