// SPDX-License-Identifier: Apache-2.0
#include "cms/signed_data.hpp"

#include "cms/authenticode.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// Signs indirect_data() the way the engine does, with the functions under test.
Bytes sign(const crypto::KeyBundle& identity, DigestAlg alg) {
  const Bytes econtent = indirect_data();
  der::Parser parser(econtent);
  const der::Tlv content = must(parser.next("content"));
  cms::SignedAttributesSpec spec;
  spec.content_type = oid::kSpcIndirectData;
  spec.message_digest = crypto::hash(alg, content.content);
  cms::SignedDataParts parts;
  parts.content_type = spec.content_type;
  parts.econtent = econtent;
  parts.alg = alg;
  parts.signed_attributes_set = cms::encode_signed_attributes(spec);
  parts.signature =
      must(identity.key.sign_digest(crypto::hash(alg, parts.signed_attributes_set), alg));
  parts.chain = identity.chain;
  return cms::encode_signed_data(parts);
}

std::vector<der::Tlv> children(const der::Tlv& parent) {
  std::vector<der::Tlv> found;
  der::Parser parser(parent.content);
  while (!parser.at_end()) {
    found.push_back(must(parser.next("child")));
  }
  return found;
}

Bytes bytes(ByteView view) {
  return {view.begin(), view.end()};
}

/// SignedData's children of a ContentInfo.
std::vector<der::Tlv> signed_data_fields(const Bytes& cms) {
  const der::Tlv info = must(der::parse_whole(cms, der::kSequence, "ContentInfo"));
  const der::Tlv wrapper = children(info).at(1);
  return children(children(wrapper).at(0));
}

std::string corpus_file(const std::string& name) {
  return std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/" + name;
}

}  // namespace

TEST_CASE("signed data: is written field by field as signtool writes it", "[cms]") {
  const Bytes cms = sign(rsa_signer(), DigestAlg::sha256);

  const auto fields = signed_data_fields(cms);
  REQUIRE(fields.size() == 5);
  CHECK(to_hex(fields[0].full) == "020101");
  CHECK(to_hex(fields[1].full) == "310f300d06096086480165030402010500");
  const auto content = children(fields[2]);
  REQUIRE(content.size() == 2);
  CHECK(to_hex(content[0].full) == "060a2b060104018237020104");
  CHECK(content[1].tag == 0xA0);
  CHECK(bytes(content[1].content) == indirect_data());
  const auto signers = children(fields[4]);
  REQUIRE(signers.size() == 1);
  const auto signer = children(signers[0]);
  REQUIRE(signer.size() == 6);
  CHECK(to_hex(signer[0].full) == "020101");
  const auto& leaf = rsa_signer().chain.front();
  CHECK(bytes(signer[1].full) == der::sequence({leaf.issuer_der(), leaf.serial_der()}));
  CHECK(to_hex(signer[2].full) == "300d06096086480165030402010500");
  CHECK(signer[3].tag == 0xA0);
  CHECK(to_hex(signer[4].full) == "300d06092a864886f70d0101010500");
  CHECK(signer[5].tag == der::kOctetString);
  CHECK(signer[5].content.size() == 256);
}

TEST_CASE("signed data: certificates go leaf first and without the root", "[cms]") {
  const Bytes cms = sign(rsa_signer(), DigestAlg::sha256);

  const auto certificates = children(signed_data_fields(cms).at(3));
  REQUIRE(certificates.size() == 2);
  CHECK(bytes(certificates[0].full) == rsa_signer().chain[0].der());
  CHECK(bytes(certificates[1].full) == rsa_signer().chain[1].der());
}

TEST_CASE("signed data: a certificate given twice is written once", "[cms]") {
  crypto::KeyBundle identity = rsa_signer();
  identity.chain.insert(identity.chain.begin() + 1, identity.chain.front());

  const Bytes cms = sign(identity, DigestAlg::sha256);

  CHECK(must(cms::parse_signed_data(cms)).certificates.size() == 2);
}

TEST_CASE("signed data: a self-signed leaf is its own certificate", "[cms]") {
  crypto::KeyBundle identity = rsa_signer();
  const crypto::KeyBundle alone{identity.key, {identity.chain.back()}};

  const Bytes cms = sign(alone, DigestAlg::sha256);

  CHECK(must(cms::parse_signed_data(cms)).certificates.size() == 1);
}

TEST_CASE("signed data: ECDSA names its hash and has no parameters", "[cms]") {
  struct Row {
    DigestAlg alg;
    std::string oid;
  };
  const auto row = GENERATE(values<Row>({
      {DigestAlg::sha256, "300a06082a8648ce3d040302"},
      {DigestAlg::sha384, "300a06082a8648ce3d040303"},
      {DigestAlg::sha512, "300a06082a8648ce3d040304"},
  }));

  const Bytes cms = sign(ec_signer(), row.alg);

  const auto signer = children(children(signed_data_fields(cms).at(4)).at(0));
  CHECK(to_hex(signer.at(4).full) == row.oid);
}

TEST_CASE("signed data: what we write parses and passes our own checks", "[cms]") {
  const auto alg = GENERATE(DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512);
  const auto* identity = GENERATE(&rsa_signer(), &ec_signer());

  const auto data = must(cms::parse_signed_data(sign(*identity, alg)));

  CHECK(data.version == 1);
  CHECK(data.content_type == oid::kSpcIndirectData);
  CHECK_FALSE(data.content_in_octet_string);
  CHECK(data.content == indirect_data());
  CHECK(data.hashed_content.size() == data.content.size() - 2);
  REQUIRE(data.signers.size() == 1);
  CHECK(data.signers[0].digest_alg == alg);
  const auto findings = check_signer(data, data.signers[0], cms::Flavour::authenticode);
  CHECK(describe(findings) == "");
}

TEST_CASE("signed data: RSA signatures are the same every time", "[cms]") {
  CHECK(sign(rsa_signer(), DigestAlg::sha256) == sign(rsa_signer(), DigestAlg::sha256));
}

TEST_CASE("signed data: openssl verifies what we write", "[cms]") {
  if (shell("openssl version").status != 0) {
    std::cerr << "SKIPPED: openssl verifies what we write (no openssl command)\n";
    return;
  }
  const auto* identity = GENERATE(&rsa_signer(), &ec_signer());
  const TemporaryFolder folder;
  const Bytes cms = sign(*identity, DigestAlg::sha256);
  const Bytes econtent = indirect_data();
  spill(folder.file("sig.der"), cms);
  // OpenSSL hashes what -content holds, and Authenticode leaves tag and length out.
  spill(folder.file("content"), ByteView(econtent).subspan(2));

  const auto verified =
      shell("openssl smime -verify -noverify -binary -inform DER -in " + folder.file("sig.der") +
            " -content " + folder.file("content") + " -out /dev/null");
  const auto dumped = shell("openssl asn1parse -inform DER -in " + folder.file("sig.der"));

  INFO(verified.output);
  CHECK(verified.status == 0);
  CHECK(dumped.status == 0);
  CHECK_THAT(dumped.output, Catch::Contains(":pkcs7-signedData"));
  CHECK_THAT(dumped.output, Catch::Contains(":1.3.6.1.4.1.311.2.1.4"));
  CHECK_THAT(dumped.output, !Catch::Contains("signingTime"));
}

TEST_CASE("signed data: every prefix is refused", "[cms]") {
  const Bytes cms = sign(ec_signer(), DigestAlg::sha256);
  for (std::size_t size = 0; size < cms.size(); ++size) {
    const auto parsed = cms::parse_signed_data(ByteView(cms).first(size));
    if (parsed || parsed.error().kind != ErrorKind::input) {
      FAIL("prefix of " << size << " octets");
    }
  }
}

TEST_CASE("signed data: flipping any byte never crashes", "[cms]") {
  const Bytes cms = sign(ec_signer(), DigestAlg::sha256);
  std::size_t unnoticed = 0;
  for (std::size_t i = 0; i < cms.size(); ++i) {
    Bytes flipped = cms;
    flipped[i] ^= 0x01;
    const auto parsed = cms::parse_signed_data(flipped);
    if (parsed && check_signer(*parsed, parsed->signers[0], cms::Flavour::authenticode).empty()) {
      ++unnoticed;
    }
  }
  // Only certificates are not covered by this signature; their own signatures are checked with the
  // chain.
  std::size_t certificates = 0;
  for (const auto& certificate : must(cms::parse_signed_data(cms)).certificates) {
    certificates += certificate.der().size();
  }
  CHECK(unnoticed < certificates);
}

TEST_CASE("signed data: a byte outside certificates that is flipped is noticed", "[cms]") {
  const Bytes cms = sign(ec_signer(), DigestAlg::sha256);
  const auto fields = signed_data_fields(cms);
  const auto begin = static_cast<std::size_t>(fields[3].content.data() - cms.data());
  const auto end = begin + fields[3].content.size();
  for (std::size_t i = 0; i < cms.size(); ++i) {
    if (i >= begin && i < end) {
      continue;
    }
    Bytes flipped = cms;
    flipped[i] ^= 0x01;
    const auto parsed = cms::parse_signed_data(flipped);
    if (parsed && check_signer(*parsed, parsed->signers[0], cms::Flavour::authenticode).empty()) {
      FAIL("byte " << i);
    }
  }
}

TEST_CASE("signed data: structures that are not a SignedData are refused", "[cms]") {
  const Bytes good = build(authenticode_recipe(ec_signer(), indirect_data()), ec_signer().key);
  struct Lie {
    std::string what;
    std::function<Bytes()> make;
    std::string reason;
  };
  const auto recipe = [] { return authenticode_recipe(ec_signer(), indirect_data()); };
  const auto made = [](const CmsRecipe& lie) { return build(lie, ec_signer().key); };
  const std::vector<Lie> lies{
      {"a byte behind",
       [&] {
         Bytes der = good;
         der.push_back(0);
         return der;
       },
       "ContentInfo"},
      {"another content type",
       [&] {
         return der::sequence({der::oid(oid::kData), der::tlv(der::context(0), der::null())});
       },
       "of type 1.2.840.113549.1.7.1"},
      {"indefinite length",
       [&] {
         Bytes der{0x30, 0x80};
         const auto whole = must(der::parse_whole(good, der::kSequence, "whole"));
         der.insert(der.end(), whole.content.begin(), whole.content.end());
         der.insert(der.end(), {0, 0});
         return der;
       },
       ""},
      {"indefinite length inside the content",
       [&] {
         auto lie = recipe();
         lie.content = {0x30, 0x04, 0x30, 0x80, 0x00, 0x00};
         return made(lie);
       },
       ""},
      {"constructed octet string",
       [&] {
         auto lie = recipe();
         lie.content = der::tlv(0x24, der::octet_string(lie.content));
         return made(lie);
       },
       "constructed OCTET STRING"},
      {"two contents",
       [&] {
         auto lie = recipe();
         lie.content.insert(lie.content.end(), {0x05, 0x00});
         return made(lie);
       },
       "content"},
      {"no content",
       [&] {
         auto lie = recipe();
         lie.content.clear();
         return made(lie);
       },
       "content"},
      {"digest algorithm parameters",
       [&] {
         auto lie = recipe();
         lie.signer.digest_algorithm =
             der::sequence({der::oid(oid::of(DigestAlg::sha256)), der::octet_string(Bytes{1})});
         return made(lie);
       },
       "parameters other than NULL"},
      {"digest algorithm with a NULL that is not empty",
       [&] {
         auto lie = recipe();
         lie.digest_algorithms = {
             der::sequence({der::oid(oid::of(DigestAlg::sha256)), Bytes{0x05, 0x01, 0x00}})};
         return made(lie);
       },
       "parameters other than NULL"},
      {"a field behind the unsigned attributes",
       [&] {
         auto lie = recipe();
         lie.signer.unsigned_attributes = {attribute("1.2.3", {der::null()})};
         lie.more_signers = {
             der::sequence({build_signer(lie.signer, ec_signer().key), der::null()})};
         return made(lie);
       },
       "SignerInfo"},
      {"65 certificates",
       [&] {
         auto lie = recipe();
         lie.certificates = std::vector<Bytes>(65, ec_signer().chain.front().der());
         return made(lie);
       },
       "more than 64 certificates"},
      {"65 attribute certificates",
       [&] {
         auto lie = recipe();
         lie.certificates = std::vector<Bytes>(65, Bytes{0xA1, 0x00});
         return made(lie);
       },
       "more than 64 certificates"},
      {"no certificate choice",
       [&] {
         auto lie = recipe();
         lie.certificates = {der::octet_string(Bytes{1})};
         return made(lie);
       },
       ""},
      {"65 attributes",
       [&] {
         auto lie = recipe();
         lie.signer.unsigned_attributes = std::vector<Bytes>(65, attribute("1.2.3", {der::null()}));
         return made(lie);
       },
       "more than 64 unsigned attributes"},
      {"65 values",
       [&] {
         auto lie = recipe();
         lie.signer.unsigned_attributes = {attribute("1.2.3", std::vector<Bytes>(65, der::null()))};
         return made(lie);
       },
       "more than 64 values"},
      {"17 signers",
       [&] {
         auto lie = recipe();
         lie.more_signers = std::vector<Bytes>(16, build_signer(lie.signer, ec_signer().key));
         return made(lie);
       },
       "more than 16 signers"},
      {"a negative version",
       [&] {
         Bytes der = good;
         der[offset_of(der, Bytes{0x02, 0x01, 0x01, 0x31}) + 2] = 0xFF;
         return der;
       },
       ""},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);

    const auto parsed = cms::parse_signed_data(lie.make());

    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::input);
    CHECK_THAT(text_of(parsed.error()), Catch::Contains(lie.reason));
  }
}

TEST_CASE("signed data: no signer at all is refused", "[cms]") {
  const auto recipe = authenticode_recipe(ec_signer(), indirect_data());
  const Bytes digests = der::set({recipe.digest_algorithms.front()});
  const Bytes content =
      der::sequence({der::oid(recipe.content_type), der::tlv(der::context(0), recipe.content)});
  const Bytes data = der::sequence({der::integer(1), digests, content, der::set({})});
  const Bytes cms = der::sequence({der::oid(oid::kSignedData), der::tlv(der::context(0), data)});

  const auto parsed = cms::parse_signed_data(cms);

  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "the SignedData has no SignerInfo");
}

TEST_CASE("signed data: more than 16 MB is refused unread", "[cms]") {
  const Bytes huge((std::size_t{16} << 20U) + 1, 0x30);

  const auto parsed = cms::parse_signed_data(huge);

  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().message, Catch::Contains("over the limit"));
}

TEST_CASE("signed data: attribute certificates are skipped and counted", "[cms]") {
  auto recipe = authenticode_recipe(ec_signer(), indirect_data());
  recipe.certificates.push_back(der::tlv(der::context(1), der::null()));
  recipe.certificates.push_back(der::tlv(der::context(2), der::null()));
  recipe.crls.push_back(der::sequence({}));

  const auto data = must(cms::parse_signed_data(build(recipe, ec_signer().key)));

  CHECK(data.certificates.size() == 2);
  CHECK(data.other_certificates == 2);
  CHECK(data.crls == 1);
}

TEST_CASE("signed data: EFI images signed by other tools parse and pass", "[cms]") {
  struct Row {
    std::string path;
    std::string expected;
  };
  const auto row = GENERATE(values<Row>({
      {corpus_file("fbx64-signed-by-sbsign.efi"), ""},
      {"/usr/lib/shim/shimx64.efi.signed", ""},
      {"/usr/lib/shim/fbx64.efi.signed", ""},
  }));
  if (!std::filesystem::exists(row.path)) {
    std::cerr << "SKIPPED: " << row.path << " (not on this machine)\n";
    return;
  }
  INFO(row.path);

  const auto signatures = certificate_table(slurp(row.path));

  REQUIRE_FALSE(signatures.empty());
  for (const auto& signature : signatures) {
    const auto data = must(cms::parse_signed_data(signature));
    REQUIRE(data.signers.size() == 1);
    const auto findings = check_signer(data, data.signers[0], cms::Flavour::authenticode);
    CHECK(describe(findings) == row.expected);
    CHECK(data.content_type == oid::kSpcIndirectData);
    const auto indirect = must(cms::parse_indirect_data(data.content));
    CHECK(indirect.data_type == oid::kSpcPeImageData);
    CHECK(indirect.alg == DigestAlg::sha256);
  }
}

TEST_CASE("signed data: signtool's signature of an MSI holds what the reference says", "[cms]") {
  const std::string path = corpus_file("minimal-signed-with-signtool.msi");
  if (!std::filesystem::exists(path)) {
    std::cerr << "SKIPPED: " << path << " (not on this machine)\n";
    return;
  }
  const Bytes file = slurp(path);
  // The stream is contiguous in this file: it starts with the ContentInfo's header.
  const Bytes oid = der::oid(oid::kSignedData);
  const std::size_t at = offset_of(file, oid) - 4;
  der::Parser parser(ByteView(file).subspan(at));
  const der::Tlv cms = must(parser.expect(der::kSequence, "CMS"));

  const auto data = must(cms::parse_signed_data(cms.full));

  const auto findings = check_signer(data, data.signers[0], cms::Flavour::authenticode);
  CHECK(ids(findings) == "weak-digest");  // It was made with sha1.
  const auto indirect = must(cms::parse_indirect_data(data.content));
  CHECK(indirect.data_type == "1.3.6.1.4.1.311.2.1.30");
}
