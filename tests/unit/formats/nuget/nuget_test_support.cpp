// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "nuget_test.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <algorithm>

namespace signctl::test {
namespace {

constexpr auto kRsa = crypto::PrivateKey::Spec::rsa2048;

Bytes from_text(std::string_view text) {
  return {text.begin(), text.end()};
}

/// 2026-06-01T00:00:00Z, issued_day(0).
Bytes signing_time() {
  return der::tlv(der::kUtcTime, as_bytes("260601000000Z"));
}

SignerRecipe signer(const crypto::KeyBundle& identity,
                    std::string_view commitment,
                    const Bytes& digest) {
  const crypto::Certificate& leaf = identity.chain.front();
  SignerRecipe recipe;
  recipe.sid = der::sequence({leaf.issuer_der(), leaf.serial_der()});
  recipe.digest_algorithm = der::algorithm_with_null(oid::of(DigestAlg::sha256));
  recipe.signature_algorithm = leaf.key().type == crypto::KeyType::rsa
                                   ? der::algorithm_with_null(oid::kRsaEncryption)
                                   : der::algorithm_bare(oid::kEcdsaWithSha256);
  recipe.attributes = {
      attribute(oid::kMessageDigest, {der::octet_string(digest)}),
      attribute(oid::kSigningTime, {signing_time()}),
      attribute(oid::kCommitmentType, {der::sequence({der::oid(commitment)})}),
      attribute(oid::kSigningCertificateV2, {signing_certificate_v2(leaf)}),
  };
  return recipe;
}

void add_repository(SignerRecipe& recipe) {
  recipe.attributes.push_back(attribute(oid::kNugetServiceIndexUrl,
                                        {service_index_url("https://example.test/index.json")}));
  recipe.attributes.push_back(
      attribute(oid::kNugetPackageOwners, {package_owners({"alice", "bob"})}));
}

CmsRecipe recipe_of(const crypto::KeyBundle& identity,
                    std::string_view commitment,
                    const std::string& text) {
  CmsRecipe recipe;
  recipe.digest_algorithms = {der::algorithm_with_null(oid::of(DigestAlg::sha256))};
  recipe.content_type = oid::kData;
  recipe.content = der::octet_string(as_bytes(text));
  for (const auto& certificate : identity.chain) {
    if (!certificate.info().self_signed) {
      recipe.certificates.push_back(certificate.der());
    }
  }
  recipe.signer = signer(identity, commitment, crypto::hash(DigestAlg::sha256, as_bytes(text)));
  recipe.signer.attributes.push_back(attribute(oid::kContentType, {der::oid(oid::kData)}));
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  return recipe;
}

}  // namespace

const crypto::KeyBundle& nuget_root() {
  static const crypto::KeyBundle made = issue(ca_named("Root"), nullptr, kRsa);
  return made;
}

const crypto::KeyBundle& nuget_author() {
  static const crypto::KeyBundle made =
      issue(leaf_for("codeSigning", "Author"), &nuget_root(), kRsa);
  return made;
}

const crypto::KeyBundle& nuget_repository() {
  static const crypto::KeyBundle made =
      issue(leaf_for("codeSigning", "Repository"), &nuget_root(), kRsa);
  return made;
}

ZipSpec nuget_package() {
  ZipSpec spec;
  spec.files = {
      {"_rels/.rels", from_text("<Relationships/>"), true},
      {"Some.Package.nuspec",
       from_text("<package><metadata><id>Some.Package</id><version>1.2.3</version>"
                 "</metadata></package>"),
       true},
      {"lib/net8.0/a.txt", from_text("hello"), false, 0, 16},
      {"[Content_Types].xml", from_text("<Types/>")},
  };
  return spec;
}

ZipFile signature_file(const Bytes& cms) {
  return {".signature.p7s", cms};
}

Bytes with_signature(ZipSpec package, const Bytes& cms) {
  package.files.push_back(signature_file(cms));
  return make_zip(package);
}

std::string text_over(const Bytes& archive, DigestAlg alg) {
  return "Version:1\n\n" + std::string(oid::of(alg)) +
         "-Hash:" + to_base64(crypto::hash(alg, archive)) + "\n\n";
}

CmsRecipe author_recipe(const crypto::KeyBundle& identity, const std::string& text) {
  return recipe_of(identity, oid::kProofOfOrigin, text);
}

CmsRecipe repository_recipe(const crypto::KeyBundle& identity, const std::string& text) {
  CmsRecipe recipe = recipe_of(identity, oid::kProofOfReceipt, text);
  add_repository(recipe.signer);
  std::sort(recipe.signer.attributes.begin(), recipe.signer.attributes.end());
  return recipe;
}

SignerRecipe countersigner_recipe(const crypto::KeyBundle& identity, const Bytes& value) {
  SignerRecipe recipe =
      signer(identity, oid::kProofOfReceipt, crypto::hash(DigestAlg::sha256, value));
  add_repository(recipe);
  std::sort(recipe.attributes.begin(), recipe.attributes.end());
  return recipe;
}

Bytes service_index_url(const std::string& url) {
  return der::tlv(der::kIa5String, as_bytes(url));
}

Bytes package_owners(const std::vector<std::string>& names) {
  Bytes content;
  for (const std::string& name : names) {
    const Bytes one = der::tlv(der::kUtf8String, as_bytes(name));
    content.insert(content.end(), one.begin(), one.end());
  }
  return der::tlv(der::kSequence, content);
}

Bytes countersigned(const Bytes& cms, const crypto::KeyBundle& identity) {
  const auto data = must(cms::parse_signed_data(cms));
  const SignerRecipe recipe = countersigner_recipe(identity, data.signers.front().signature);
  return must(cms::with_unsigned_attribute(
      cms, oid::kCounterSignature, {build_signer(recipe, identity.key)}));
}

}  // namespace signctl::test
