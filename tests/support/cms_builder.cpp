// SPDX-License-Identifier: Apache-2.0
#include "support/cms_builder.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <stdexcept>

namespace signctl::test {
namespace {

Bytes join(const std::vector<Bytes>& parts) {
  Bytes joined;
  for (const auto& part : parts) {
    joined.insert(joined.end(), part.begin(), part.end());
  }
  return joined;
}

std::string type_of(const Bytes& attribute_der) {
  const der::Tlv whole = must(der::parse_whole(attribute_der, der::kSequence, "attribute"));
  der::Parser parser(whole.content);
  return must(parser.oid("type"));
}

Bytes content_of(const Bytes& tlv) {
  der::Parser parser(tlv);
  const der::Tlv element = must(parser.next("element"));
  return {element.content.begin(), element.content.end()};
}

SignerRecipe signer_recipe(const crypto::KeyBundle& identity) {
  const crypto::Certificate& leaf = identity.chain.front();
  SignerRecipe signer;
  signer.sid = der::sequence({leaf.issuer_der(), leaf.serial_der()});
  signer.digest_algorithm = der::algorithm_with_null(oid::of(DigestAlg::sha256));
  signer.signature_algorithm = leaf.key().type == crypto::KeyType::rsa
                                   ? der::algorithm_with_null(oid::kRsaEncryption)
                                   : der::algorithm_bare(oid::kEcdsaWithSha256);
  return signer;
}

}  // namespace

Bytes attribute(std::string_view oid, const std::vector<Bytes>& values) {
  return der::sequence({der::oid(oid), der::tlv(der::kSet, join(values))});
}

Bytes& attribute_named(std::vector<Bytes>& attributes, std::string_view oid) {
  const auto found = std::find_if(
      attributes.begin(), attributes.end(), [&](const Bytes& one) { return type_of(one) == oid; });
  if (found == attributes.end()) {
    throw std::runtime_error("no attribute " + std::string(oid));
  }
  return *found;
}

void drop_attribute(std::vector<Bytes>& attributes, std::string_view oid) {
  std::erase_if(attributes, [&](const Bytes& one) { return type_of(one) == oid; });
}

CmsRecipe authenticode_recipe(const crypto::KeyBundle& identity, const Bytes& indirect_data) {
  CmsRecipe recipe;
  recipe.digest_algorithms = {der::algorithm_with_null(oid::of(DigestAlg::sha256))};
  recipe.content_type = oid::kSpcIndirectData;
  recipe.content = indirect_data;
  for (const auto& certificate : identity.chain) {
    if (!certificate.info().self_signed || identity.chain.size() == 1) {
      recipe.certificates.push_back(certificate.der());
    }
  }
  recipe.signer = signer_recipe(identity);
  const Bytes digest = crypto::hash(DigestAlg::sha256, content_of(indirect_data));
  recipe.signer.attributes = {
      attribute(oid::kSpcSpOpusInfo, {der::sequence({})}),
      attribute(oid::kContentType, {der::oid(oid::kSpcIndirectData)}),
      attribute(oid::kSpcStatementType,
                {der::sequence({der::oid(oid::kSpcIndividualCodeSigning)})}),
      attribute(oid::kMessageDigest, {der::octet_string(digest)}),
  };
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  return recipe;
}

Bytes tst_info(const TstRecipe& recipe) {
  const Bytes imprint = der::sequence(
      {der::algorithm_with_null(oid::of(recipe.alg)), der::octet_string(recipe.imprint)});
  return der::sequence({der::integer(recipe.version),
                        der::oid(recipe.policy),
                        imprint,
                        der::tlv(der::kInteger, recipe.serial),
                        der::tlv(der::kGeneralizedTime, as_bytes(recipe.time)),
                        recipe.tail});
}

Bytes signing_certificate_v2(const crypto::Certificate& certificate) {
  const Bytes hash = crypto::hash(DigestAlg::sha256, certificate.der());
  const Bytes names = der::sequence({der::tlv(der::context(4), certificate.issuer_der())});
  const Bytes issuer_serial = der::sequence({names, certificate.serial_der()});
  const Bytes cert_id = der::sequence({der::octet_string(hash), issuer_serial});
  return der::sequence({der::sequence({cert_id})});
}

CmsRecipe token_recipe(const crypto::KeyBundle& authority, const Bytes& tst_info_der) {
  CmsRecipe recipe;
  recipe.version = 3;
  recipe.digest_algorithms = {der::algorithm_with_null(oid::of(DigestAlg::sha256))};
  recipe.content_type = oid::kTstInfo;
  recipe.content = der::octet_string(tst_info_der);
  for (const auto& certificate : authority.chain) {
    recipe.certificates.push_back(certificate.der());
  }
  recipe.signer = signer_recipe(authority);
  recipe.signer.attributes = {
      attribute(oid::kContentType, {der::oid(oid::kTstInfo)}),
      attribute(oid::kMessageDigest,
                {der::octet_string(crypto::hash(DigestAlg::sha256, tst_info_der))}),
      attribute(oid::kSigningCertificateV2, {signing_certificate_v2(authority.chain.front())}),
  };
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  return recipe;
}

Bytes build_signer(const SignerRecipe& recipe, const crypto::PrivateKey& key) {
  const Bytes attributes = join(recipe.attributes);
  Bytes signature;
  if (recipe.signature) {
    signature = *recipe.signature;
  } else {
    const Bytes digest = crypto::hash(recipe.signed_with, der::tlv(der::kSet, attributes));
    signature = must(key.sign_digest(digest, recipe.signed_with));
  }
  const Bytes stored = recipe.attributes.empty() ? Bytes{} : der::tlv(der::context(0), attributes);
  const Bytes unsigned_attributes =
      recipe.unsigned_attributes.empty()
          ? Bytes{}
          : der::tlv(der::context(1), join(recipe.unsigned_attributes));
  return der::sequence({der::integer(recipe.version),
                        recipe.sid,
                        recipe.digest_algorithm,
                        stored,
                        recipe.signature_algorithm,
                        der::octet_string(signature),
                        unsigned_attributes});
}

Bytes build(const CmsRecipe& recipe, const crypto::PrivateKey& key) {
  const Bytes signer = build_signer(recipe.signer, key);
  const Bytes content =
      der::sequence({der::oid(recipe.content_type), der::tlv(der::context(0), recipe.content)});
  const Bytes crls = recipe.crls.empty() ? Bytes{} : der::tlv(der::context(1), join(recipe.crls));
  const Bytes signed_data =
      der::sequence({der::integer(recipe.version),
                     der::tlv(der::kSet, join(recipe.digest_algorithms)),
                     content,
                     der::tlv(der::context(0), join(recipe.certificates)),
                     crls,
                     der::tlv(der::kSet, {signer, join(recipe.more_signers)})});
  return der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), signed_data)});
}

}  // namespace signctl::test
