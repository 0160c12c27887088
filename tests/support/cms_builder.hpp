// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Builds SignedData in which any single field can be a lie. Independent of src/cms on purpose: it
/// is what the parser and the checks are tested against.
namespace signctl::test {

/// One SignerInfo, field by field. authenticode_recipe() and token_recipe() fill in the truth.
struct SignerRecipe {
  std::uint64_t version{1};
  Bytes sid;                      ///< Complete TLV.
  Bytes digest_algorithm;         ///< Complete AlgorithmIdentifier.
  std::vector<Bytes> attributes;  ///< Complete SEQUENCEs, written in this order; none: no [0].
  Bytes signature_algorithm;      ///< Complete AlgorithmIdentifier.
  /// Computed over the attributes when empty.
  std::optional<Bytes> signature;
  std::vector<Bytes> unsigned_attributes;
  DigestAlg signed_with{DigestAlg::sha256};
};

/// One SignedData with one signer, field by field.
struct CmsRecipe {
  std::uint64_t version{1};
  std::vector<Bytes> digest_algorithms;
  std::string content_type;
  Bytes content;  ///< Complete TLV inside [0].
  std::vector<Bytes> certificates;
  std::vector<Bytes> crls;
  SignerRecipe signer;
  std::vector<Bytes> more_signers;  ///< Complete SignerInfos behind the first.
};

/// Attribute SEQUENCE with `values`, complete TLVs, in this order.
Bytes attribute(std::string_view oid, const std::vector<Bytes>& values);
/// The value that a one-valued attribute has among `attributes`, to be replaced.
Bytes& attribute_named(std::vector<Bytes>& attributes, std::string_view oid);
/// Takes all attributes of that type out.
void drop_attribute(std::vector<Bytes>& attributes, std::string_view oid);

/// What signctl itself would write over `indirect_data` (complete TLV).
CmsRecipe authenticode_recipe(const crypto::KeyBundle& identity, const Bytes& indirect_data);

/// TSTInfo, field by field.
struct TstRecipe {
  std::uint64_t version{1};
  std::string policy{"1.2.3.4"};
  DigestAlg alg{DigestAlg::sha256};
  Bytes imprint;
  Bytes serial{0x01};
  std::string time{"20260301120000Z"};
  Bytes tail;  ///< Everything behind genTime, complete TLVs.
};
Bytes tst_info(const TstRecipe& recipe);

/// A token as an authority that follows RFC 3161 and RFC 5816 makes it.
CmsRecipe token_recipe(const crypto::KeyBundle& authority, const Bytes& tst_info_der);

/// Content octets of a SigningCertificateV2 attribute value for `certificate`.
Bytes signing_certificate_v2(const crypto::Certificate& certificate);

/// The SignerInfo alone; signs with `key` unless the recipe brings a signature.
Bytes build_signer(const SignerRecipe& recipe, const crypto::PrivateKey& key);
/// The complete ContentInfo.
Bytes build(const CmsRecipe& recipe, const crypto::PrivateKey& key);

}  // namespace signctl::test
