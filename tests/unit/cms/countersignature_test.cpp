// SPDX-License-Identifier: Apache-2.0
#include "cms/countersignature.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"

#include <functional>

#include <openssl/evp.h>
#include <openssl/rsa.h>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const Bytes& signature_value() {
  static const Bytes made(256, 0x33);
  return made;
}

/// A signature whose certificates include the authority's.
cms::SignedData outer(const std::vector<Bytes>& certificates) {
  auto recipe = authenticode_recipe(rsa_signer(), indirect_data());
  recipe.signer.signature = signature_value();
  recipe.certificates.insert(recipe.certificates.end(), certificates.begin(), certificates.end());
  return must(cms::parse_signed_data(build(recipe, rsa_signer().key)));
}

SignerRecipe truth(const crypto::KeyBundle& by) {
  auto signer = token_recipe(by, Bytes{0x30, 0x00}).signer;
  const ByteView time = as_bytes("140102030405Z");
  signer.attributes = {
      attribute(oid::kContentType, {der::oid(oid::kData)}),
      attribute(oid::kSigningTime, {der::tlv(der::kUtcTime, time)}),
      attribute(oid::kMessageDigest,
                {der::octet_string(crypto::hash(DigestAlg::sha256, signature_value()))}),
  };
  return signer;
}

/// What old Symantec authorities made: PKCS#1 padding around the bare hash.
Bytes sign_bare(const SignerRecipe& signer) {
  Bytes all;
  for (const auto& one : signer.attributes) {
    all.insert(all.end(), one.begin(), one.end());
  }
  const Bytes digest = crypto::hash(DigestAlg::sha256, der::tlv(der::kSet, all));
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(authority().key.pkey(), nullptr);
  Bytes signature(256);
  std::size_t size = signature.size();
  const bool made =
      EVP_PKEY_sign_init(context) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
      EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) == 1;
  EVP_PKEY_CTX_free(context);
  REQUIRE(made);
  return signature;
}

cms::CounterSignature judge(const SignerRecipe& signer, const crypto::KeyBundle& by) {
  const auto data = outer({by.chain.front().der()});
  return must(
      cms::check_countersignature(data, data.signers.front(), build_signer(signer, by.key)));
}

}  // namespace

TEST_CASE("countersignature: a right one passes and tells its time", "[cms]") {
  const auto counter = judge(truth(authority()), authority());

  CHECK(describe(counter.findings) == "");
  CHECK(to_iso8601(counter.time) == "2014-01-02T03:04:05Z");
  REQUIRE(counter.certificate);
  CHECK(*counter.certificate == authority().chain.front());
  CHECK(counter.signer.digest_alg == DigestAlg::sha256);
}

TEST_CASE("countersignature: a bare RSA signature is flagged", "[cms]") {
  auto signer = truth(authority());
  signer.signature = sign_bare(signer);

  CHECK(ids(judge(signer, authority()).findings) == "countersignature-bare-rsa");
}

TEST_CASE("countersignature: lies are found", "[cms]") {
  struct Lie {
    std::string what;
    std::function<void(SignerRecipe&)> tell;
    std::string id;
  };
  const std::vector<Lie> lies{
      {"over another signature",
       [](SignerRecipe& r) {
         attribute_named(r.attributes, oid::kMessageDigest) = attribute(
             oid::kMessageDigest, {der::octet_string(crypto::hash(DigestAlg::sha256, Bytes{1}))});
       },
       "timestamp-imprint"},
      {"empty messageDigest",
       [](SignerRecipe& r) {
         attribute_named(r.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest, {der::octet_string({})});
       },
       "timestamp-imprint"},
      {"no messageDigest",
       [](SignerRecipe& r) { drop_attribute(r.attributes, oid::kMessageDigest); },
       "timestamp-structure"},
      {"no contentType",
       [](SignerRecipe& r) { drop_attribute(r.attributes, oid::kContentType); },
       "timestamp-structure"},
      {"contentType of Authenticode",
       [](SignerRecipe& r) {
         attribute_named(r.attributes, oid::kContentType) =
             attribute(oid::kContentType, {der::oid(oid::kSpcIndirectData)});
       },
       "timestamp-structure"},
      {"broken signature",
       [](SignerRecipe& r) { r.signature = Bytes(256, 9); },
       "timestamp-signature"},
      {"version 3", [](SignerRecipe& r) { r.version = 3; }, "timestamp-structure"},
      {"another signer",
       [](SignerRecipe& r) {
         r.sid = der::sequence({der::sequence({}), der::integer(5)});
       },
       "timestamp-signature"},
      {"unknown digest",
       [](SignerRecipe& r) { r.digest_algorithm = der::algorithm_bare("1.2.3"); },
       "timestamp-structure"},
      {"sha1",
       [](SignerRecipe& r) {
         r.digest_algorithm = der::algorithm_with_null(oid::of(DigestAlg::sha1));
         r.signed_with = DigestAlg::sha1;
         attribute_named(r.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest,
                       {der::octet_string(crypto::hash(DigestAlg::sha1, signature_value()))});
       },
       "timestamp-weak-digest"},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);
    auto signer = truth(authority());
    lie.tell(signer);

    const auto counter = judge(signer, authority());

    INFO(describe(counter.findings));
    CHECK(ids(counter.findings) == lie.id);
  }
}

TEST_CASE("countersignature: a certificate for something else is found", "[cms]") {
  const auto odd = authority_with_eku("codeSigning");

  CHECK(ids(judge(truth(odd), odd).findings) == "timestamp-eku");
}

TEST_CASE("countersignature: one without a readable time is refused", "[cms]") {
  const auto data = outer({authority().chain.front().der()});
  auto without = truth(authority());
  drop_attribute(without.attributes, oid::kSigningTime);
  auto text = truth(authority());
  attribute_named(text.attributes, oid::kSigningTime) =
      attribute(oid::kSigningTime, {der::octet_string(Bytes(13, 0x31))});
  auto twice = truth(authority());
  twice.attributes.push_back(attribute_named(twice.attributes, oid::kSigningTime));

  for (const auto& recipe : {without, text, twice}) {
    const auto counter = cms::check_countersignature(
        data, data.signers.front(), build_signer(recipe, authority().key));

    REQUIRE_FALSE(counter);
    CHECK(counter.error().kind == ErrorKind::input);
  }
}

TEST_CASE("countersignature: every prefix is refused", "[cms]") {
  const auto data = outer({});
  const Bytes der = build_signer(truth(authority()), authority().key);
  for (std::size_t size = 0; size < der.size(); ++size) {
    INFO(size);
    CHECK_FALSE(cms::check_countersignature(data, data.signers.front(), ByteView(der).first(size)));
  }
}
