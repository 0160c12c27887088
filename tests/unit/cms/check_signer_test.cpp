// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"

#include <functional>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const Bytes& content() {
  static const Bytes made = indirect_data();
  return made;
}

std::vector<Finding> judge(const CmsRecipe& recipe, const crypto::KeyBundle& identity) {
  const auto data = must(cms::parse_signed_data(build(recipe, identity.key)));
  return check_signer(data, data.signers.front(), cms::Flavour::authenticode);
}

Bytes digest_attribute(DigestAlg alg) {
  const ByteView hashed = ByteView(content()).subspan(2);
  return attribute(oid::kMessageDigest, {der::octet_string(crypto::hash(alg, hashed))});
}

Bytes content_type_attribute() {
  return attribute(oid::kContentType, {der::oid(oid::kSpcIndirectData)});
}

/// Everything consistently under another digest algorithm.
void use_digest(CmsRecipe& recipe, DigestAlg alg) {
  recipe.digest_algorithms = {der::algorithm_with_null(oid::of(alg))};
  recipe.signer.digest_algorithm = der::algorithm_with_null(oid::of(alg));
  recipe.signer.signed_with = alg;
  attribute_named(recipe.signer.attributes, oid::kMessageDigest) = digest_attribute(alg);
}

struct Lie {
  std::string what;
  std::function<void(CmsRecipe&)> tell;
  std::string id;      ///< Of all findings together.
  std::string reason;  ///< In one of the messages.
};

void check_lies(const std::vector<Lie>& lies, const crypto::KeyBundle& identity) {
  for (const auto& lie : lies) {
    INFO(lie.what);
    auto recipe = authenticode_recipe(identity, content());
    lie.tell(recipe);

    const auto findings = judge(recipe, identity);

    CHECK(ids(findings) == lie.id);
    CHECK_THAT(describe(findings), Catch::Contains(lie.reason));
    for (const auto& finding : findings) {
      CHECK(finding.severity == Severity::error);
      CHECK(finding.subject.empty());
    }
  }
}

/// Puts the content in an OCTET STRING, with the messageDigest that goes with that.
void wrap_content(CmsRecipe& recipe) {
  const Bytes digest = crypto::hash(DigestAlg::sha256, recipe.content);
  recipe.content = der::octet_string(recipe.content);
  attribute_named(recipe.signer.attributes, oid::kMessageDigest) =
      attribute(oid::kMessageDigest, {der::octet_string(digest)});
}

}  // namespace

TEST_CASE("check signer: the builder's truth passes", "[cms]") {
  const auto* identity = GENERATE(&rsa_signer(), &ec_signer());

  CHECK(describe(judge(authenticode_recipe(*identity, content()), *identity)) == "");
}

TEST_CASE("check signer: attributes in another order than DER's pass", "[cms]") {
  auto recipe = authenticode_recipe(ec_signer(), content());
  std::reverse(recipe.signer.attributes.begin(), recipe.signer.attributes.end());

  CHECK(describe(judge(recipe, ec_signer())) == "");
}

TEST_CASE("check signer: the signer's certificate may be there twice", "[cms]") {
  auto recipe = authenticode_recipe(ec_signer(), content());
  recipe.certificates.push_back(recipe.certificates.front());

  CHECK(describe(judge(recipe, ec_signer())) == "");
}

TEST_CASE("check signer: lies about structure are found", "[cms]") {
  const std::vector<Lie> lies{
      {"SignedData version 3", [](CmsRecipe& r) { r.version = 3; }, "cms-version", "version 3"},
      {"SignerInfo version 3",
       [](CmsRecipe& r) { r.signer.version = 3; },
       "cms-version",
       "SignerInfo is version 3"},
      {"version 3 and an OCTET STRING (CMS-10)",
       [](CmsRecipe& r) {
         r.version = 3;
         wrap_content(r);
       },
       "cms-octet-string cms-version",
       "OCTET STRING"},
      {"version 1 and an OCTET STRING", wrap_content, "cms-content-type", "OCTET STRING"},
      {"version 3 and an OCTET STRING, of which the messageDigest leaves out the SEQUENCE's header",
       [](CmsRecipe& r) {
         r.version = 3;
         r.content = der::octet_string(r.content);
       },
       "cms-octet-string cms-version message-digest",
       "messageDigest"},
      {"the content's tag, which messageDigest leaves out",
       [](CmsRecipe& r) { r.content[0] = der::kSet; },
       "cms-content-type",
       "not a SEQUENCE"},
      {"two signers (CMS-5)",
       [](CmsRecipe& r) { r.more_signers = {build_signer(r.signer, ec_signer().key)}; },
       "cms-signer-count",
       "2 signers"},
      {"no digest algorithm (CMS-6)",
       [](CmsRecipe& r) { r.digest_algorithms.clear(); },
       "cms-digest-algorithms",
       "lists 0 digest algorithms"},
      {"two digest algorithms",
       [](CmsRecipe& r) {
         r.digest_algorithms.push_back(der::algorithm_with_null(oid::of(DigestAlg::sha384)));
       },
       "cms-digest-algorithms",
       "lists 2 digest algorithms"},
      {"another digest algorithm in SignedData (CMS-6)",
       [](CmsRecipe& r) {
         r.digest_algorithms = {der::algorithm_with_null(oid::of(DigestAlg::sha384))};
       },
       "cms-digest-algorithms",
       "2.16.840.1.101.3.4.2.2"},
      {"an unknown digest algorithm",
       [](CmsRecipe& r) {
         r.digest_algorithms = {der::algorithm_with_null("1.2.3.4")};
         r.signer.digest_algorithm = der::algorithm_with_null("1.2.3.4");
         r.signer.signature_algorithm = der::algorithm_with_null(oid::kRsaEncryption);
       },
       "cms-digest-algorithms signature",
       "1.2.3.4 is unknown"},
  };

  check_lies(lies, ec_signer());
}

TEST_CASE("check signer: lies in the signed attributes are found", "[cms]") {
  const std::vector<Lie> lies{
      {"no signed attributes, signature over the content (CMS-1)",
       [](CmsRecipe& r) {
         r.signer.attributes.clear();
         const Bytes digest = crypto::hash(DigestAlg::sha256, ByteView(content()).subspan(2));
         r.signer.signature = must(ec_signer().key.sign_digest(digest, DigestAlg::sha256));
       },
       "cms-attributes",
       "no signed attributes"},
      {"attributes of a real signature as content (CMS-2)",
       [](CmsRecipe& r) {
         Bytes set;
         for (const auto& one : r.signer.attributes) {
           set.insert(set.end(), one.begin(), one.end());
         }
         set = der::tlv(der::kSet, set);
         const Bytes digest = crypto::hash(DigestAlg::sha256, set);
         r.signer.signature = must(ec_signer().key.sign_digest(digest, DigestAlg::sha256));
         r.content = der::octet_string(set);
         r.content_type = oid::kData;
         r.signer.attributes.clear();
       },
       "cms-attributes cms-content-type",
       "no signed attributes"},
      {"no contentType (CMS-3)",
       [](CmsRecipe& r) { drop_attribute(r.signer.attributes, oid::kContentType); },
       "cms-attributes",
       "contentType occurs 0 times"},
      {"two contentTypes (CMS-3)",
       [](CmsRecipe& r) { r.signer.attributes.push_back(content_type_attribute()); },
       "cms-attributes",
       "contentType occurs 2 times"},
      {"contentType with two values",
       [](CmsRecipe& r) {
         const Bytes type = der::oid(oid::kSpcIndirectData);
         attribute_named(r.signer.attributes, oid::kContentType) =
             attribute(oid::kContentType, {type, type});
       },
       "cms-attributes",
       "has 2 values"},
      {"contentType without value",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kContentType) = attribute(oid::kContentType, {});
       },
       "cms-attributes",
       "has 0 values"},
      {"contentType is not the content's (CMS-3)",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kContentType) =
             attribute(oid::kContentType, {der::oid(oid::kData)});
       },
       "cms-content-type",
       "says 1.2.840.113549.1.7.1 but the content is 1.3.6.1.4.1.311.2.1.4"},
      {"contentType is an OCTET STRING",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kContentType) =
             attribute(oid::kContentType, {der::octet_string(Bytes{1, 2})});
       },
       "cms-attributes",
       "tag 0x04"},
      {"no messageDigest (CMS-4)",
       [](CmsRecipe& r) { drop_attribute(r.signer.attributes, oid::kMessageDigest); },
       "cms-attributes",
       "messageDigest occurs 0 times"},
      {"two messageDigests (CMS-4)",
       [](CmsRecipe& r) { r.signer.attributes.push_back(digest_attribute(DigestAlg::sha256)); },
       "cms-attributes",
       "messageDigest occurs 2 times"},
      {"messageDigest is a UTF8String (CMS-4)",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest, {der::tlv(der::kUtf8String, Bytes(32, 1))});
       },
       "cms-attributes",
       "tag 0x0c"},
      {"messageDigest is too short (CMS-4)",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest, {der::octet_string(Bytes{})});
       },
       "message-digest",
       "has 0 octets but sha256 makes 32"},
      {"messageDigest of something else",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest, {der::octet_string(Bytes(32, 1))});
       },
       "message-digest",
       "of the content is"},
      {"messageDigest of the content with its header",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kMessageDigest) = attribute(
             oid::kMessageDigest, {der::octet_string(crypto::hash(DigestAlg::sha256, content()))});
       },
       "message-digest",
       "of the content is"},
      {"two opus infos",
       [](CmsRecipe& r) {
         const Bytes opus = attribute(oid::kSpcSpOpusInfo, {der::sequence({})});
         r.signer.attributes.push_back(opus);
         r.signer.attributes.push_back(opus);
       },
       "cms-attributes",
       "1.3.6.1.4.1.311.2.1.12 occurs 3 times"},
  };

  check_lies(lies, ec_signer());
}

TEST_CASE("check signer: the signer's certificate must be the only one that matches", "[cms]") {
  static const auto other = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
  const std::vector<Lie> lies{
      {"no certificates",
       [](CmsRecipe& r) { r.certificates.clear(); },
       "signer-certificate",
       "none of the 0 embedded certificates"},
      {"the leaf is not embedded",
       [](CmsRecipe& r) { r.certificates.erase(r.certificates.begin()); },
       "signer-certificate",
       "none of the 1 embedded certificates"},
      {"a twin before it (CMS-7)",
       [](CmsRecipe& r) {
         r.certificates.insert(r.certificates.begin(),
                               twin_of(ec_signer().chain.front(), other).der());
       },
       "signer-certificate",
       "several different certificates"},
      {"a twin behind it (CMS-7)",
       [](CmsRecipe& r) {
         r.certificates.push_back(twin_of(ec_signer().chain.front(), other).der());
       },
       "signer-certificate",
       "several different certificates"},
      {"only the twin",
       [](CmsRecipe& r) {
         r.certificates.front() = twin_of(ec_signer().chain.front(), other).der();
       },
       "signature",
       "not made with the key of"},
      {"the issuer in another string type (CMS-8)",
       [](CmsRecipe& r) {
         const ByteView name = as_bytes("Test Code Signing CA");
         const std::size_t at = offset_of(r.signer.sid, Bytes(name.begin(), name.end()));
         std::uint8_t& tag = r.signer.sid[at - 2];
         tag = tag == der::kUtf8String ? der::kPrintableString : der::kUtf8String;
       },
       "signer-certificate",
       "none of the"},
      {"serial number with a leading zero",
       [](CmsRecipe& r) {
         const auto& leaf = ec_signer().chain.front();
         der::Parser parser(leaf.serial_der());
         const der::Tlv serial = must(parser.next("serial"));
         const Bytes zero{0};
         const Bytes longer = der::tlv(der::kInteger, {zero, serial.content});
         r.signer.sid = der::sequence({leaf.issuer_der(), longer});
       },
       "signer-certificate",
       "none of the"},
      {"named by key identifier",
       [](CmsRecipe& r) { r.signer.sid = der::tlv(der::context_primitive(0), Bytes(20, 7)); },
       "signer-certificate",
       "subject key identifier"},
  };

  check_lies(lies, ec_signer());
}

TEST_CASE("check signer: broken or unfit signatures are found", "[cms]") {
  const std::vector<Lie> lies{
      {"one bit of the signature",
       [](CmsRecipe& r) { r.signer.signature = Bytes(256, 0x5A); },
       "signature",
       "not made with the key of"},
      {"an empty signature", [](CmsRecipe& r) { r.signer.signature = Bytes{}; }, "signature", ""},
      {"a signature over attributes with the [0] tag (CMS-11)",
       [](CmsRecipe& r) {
         Bytes all;
         for (const auto& one : r.signer.attributes) {
           all.insert(all.end(), one.begin(), one.end());
         }
         const Bytes digest = crypto::hash(DigestAlg::sha256, der::tlv(der::context(0), all));
         r.signer.signature = must(rsa_signer().key.sign_digest(digest, DigestAlg::sha256));
       },
       "signature",
       "not made with the key of"},
      {"RSASSA-PSS",
       [](CmsRecipe& r) {
         r.signer.signature_algorithm = der::algorithm_bare("1.2.840.113549.1.1.10");
       },
       "signature",
       "RSASSA-PSS"},
      {"PSS parameters under rsaEncryption (CMS-12)",
       [](CmsRecipe& r) {
         r.signer.signature_algorithm =
             der::sequence({der::oid(oid::kRsaEncryption), der::sequence({})});
       },
       "signature",
       "parameters other than NULL"},
      {"an ECDSA algorithm with an RSA key",
       [](CmsRecipe& r) {
         r.signer.signature_algorithm = der::algorithm_bare(oid::kEcdsaWithSha256);
       },
       "signature",
       "does not fit the certificate's key"},
      {"sha512WithRSAEncryption with sha256",
       [](CmsRecipe& r) {
         r.signer.signature_algorithm = der::algorithm_with_null("1.2.840.113549.1.1.13");
       },
       "signature",
       "implies sha512 but the digest algorithm is sha256"},
      {"an unknown signature algorithm",
       [](CmsRecipe& r) { r.signer.signature_algorithm = der::algorithm_bare("1.2.3.4"); },
       "signature",
       "1.2.3.4 is unknown"},
      {"sha1", [](CmsRecipe& r) { use_digest(r, DigestAlg::sha1); }, "weak-digest", "sha1"},
  };

  check_lies(lies, rsa_signer());
}

TEST_CASE("check signer: ECDSA's hash must be the digest algorithm", "[cms]") {
  check_lies({{"ecdsa-with-SHA384 over sha256",
               [](CmsRecipe& r) {
                 r.signer.signature_algorithm = der::algorithm_bare(oid::kEcdsaWithSha384);
               },
               "signature",
               "implies sha384"},
              {"rsaEncryption with an EC key",
               [](CmsRecipe& r) {
                 r.signer.signature_algorithm = der::algorithm_with_null(oid::kRsaEncryption);
               },
               "signature",
               "does not fit"}},
             ec_signer());
}

TEST_CASE("check signer: sha256WithRSAEncryption passes where it fits", "[cms]") {
  auto recipe = authenticode_recipe(rsa_signer(), content());
  recipe.signer.signature_algorithm = der::algorithm_with_null("1.2.840.113549.1.1.11");

  CHECK(describe(judge(recipe, rsa_signer())) == "");
}

TEST_CASE("check signer: md5 is found weak", "[cms]") {
  auto recipe = authenticode_recipe(rsa_signer(), content());
  use_digest(recipe, DigestAlg::md5);
  recipe.signer.signature = Bytes(256, 1);

  CHECK(ids(judge(recipe, rsa_signer())) == "signature weak-digest");
}
