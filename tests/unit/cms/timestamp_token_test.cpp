// SPDX-License-Identifier: Apache-2.0
#include "cms/timestamp_token.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/cms_builder.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <functional>
#include <iostream>

#include <openssl/x509v3.h>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const Bytes& stamped() {
  static const Bytes signature(256, 0x77);
  return signature;
}

TstRecipe truth() {
  TstRecipe recipe;
  recipe.imprint = crypto::hash(DigestAlg::sha256, stamped());
  return recipe;
}

Bytes token(const TstRecipe& tst) {
  return build(token_recipe(authority(), tst_info(tst)), authority().key);
}

Bytes token(const std::function<void(CmsRecipe&)>& tell) {
  auto recipe = token_recipe(authority(), tst_info(truth()));
  tell(recipe);
  return build(recipe, authority().key);
}

std::vector<Finding> judge(const Bytes& der) {
  return cms::check_timestamp_token(must(cms::parse_timestamp_token(der)), stamped());
}

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

/// The configuration and key files of an `openssl ts` authority.
void write_authority(const TemporaryFolder& folder) {
  const std::string config =
      "[tsa]\ndefault_tsa = one\n[one]\nserial = " + folder.file("serial") +
      "\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha512\n"
      "accuracy = secs:1, millisecs:500, microsecs:100\nordering = yes\ntsa_name = yes\n"
      "ess_cert_id_chain = no\ness_cert_id_alg = sha256\n";
  spill(folder.file("tsa.cnf"), as_bytes(config));
  spill(folder.file("serial"), as_bytes("01\n"));
  const Secret key = must(crypto::to_pem(authority().key));
  spill(folder.file("key.pem"), as_bytes(key.reveal()));
  spill(folder.file("cert.pem"), as_bytes(crypto::to_pem({authority().chain.front()})));
}

ShellResult reply(const TemporaryFolder& folder) {
  return shell("openssl ts -reply -config " + folder.file("tsa.cnf") + " -section one -queryfile " +
               folder.file("query") + " -inkey " + folder.file("key.pem") + " -signer " +
               folder.file("cert.pem") + " -out " + folder.file("reply"));
}

}  // namespace

TEST_CASE("timestamp token: the builder's truth parses and passes", "[cms]") {
  const auto parsed = must(cms::parse_timestamp_token(token(truth())));

  CHECK(parsed.info.version == 1);
  CHECK(parsed.info.policy == "1.2.3.4");
  CHECK(parsed.info.imprint_alg == DigestAlg::sha256);
  CHECK(parsed.info.imprint == truth().imprint);
  CHECK(to_hex(parsed.info.serial) == "01");
  CHECK(to_iso8601(parsed.info.time) == "2026-03-01T12:00:00Z");
  CHECK_FALSE(parsed.info.accuracy);
  CHECK(parsed.info.nonce.empty());
  CHECK(describe(cms::check_timestamp_token(parsed, stamped())) == "");
}

TEST_CASE("timestamp token: all optional fields of TSTInfo are read", "[cms]") {
  TstRecipe recipe = truth();
  recipe.time = "20260301120000.25Z";
  recipe.tail =
      hex("300a02010280020123810101"  // accuracy 2 s, 291 ms, 1 us
          "0101ff"                    // ordering
          "020900ffeeddccbbaa9988"    // nonce
          "a003820161"                // tsa
          "a10b3009060355010104"
          "02"
          "0500");  // extension

  const auto info = must(cms::parse_timestamp_token(token(recipe))).info;

  CHECK(info.accuracy == std::chrono::milliseconds(2292));
  CHECK(to_hex(info.nonce) == "00ffeeddccbbaa9988");
  CHECK(info.critical_extensions.empty());
  CHECK(to_iso8601(info.time) == "2026-03-01T12:00:00Z");
}

TEST_CASE("timestamp token: openssl's authority makes one that passes", "[cms]") {
  if (shell("openssl version").status != 0) {
    std::cerr << "SKIPPED: openssl's authority makes one that passes (no openssl command)\n";
    return;
  }
  const auto alg = GENERATE(DigestAlg::sha256, DigestAlg::sha512);
  const TemporaryFolder folder;
  write_authority(folder);
  const Bytes nonce = hex("8899aabbccddeeff");
  const Bytes imprint = crypto::hash(alg, stamped());
  spill(folder.file("query"), cms::encode_timestamp_request(imprint, alg, nonce, ""));

  const auto made = reply(folder);
  INFO(made.output);
  REQUIRE(made.status == 0);
  const auto response = must(cms::parse_timestamp_response(slurp(folder.file("reply"))));
  const auto parsed = must(cms::parse_timestamp_token(response.token));

  CHECK(response.status == 0);
  CHECK(describe(cms::check_timestamp_token(parsed, stamped())) == "");
  CHECK(parsed.info.policy == "1.2.3.4.1");
  CHECK(to_hex(parsed.info.nonce) == "008899aabbccddeeff");
  CHECK(parsed.info.accuracy == std::chrono::milliseconds(1501));
  CHECK(parsed.info.imprint == imprint);
  CHECK(ids(cms::check_timestamp_token(parsed, Bytes{1})) == "timestamp-imprint");
}

TEST_CASE("timestamp response: openssl's refusal is read", "[cms]") {
  if (shell("openssl version").status != 0) {
    std::cerr << "SKIPPED: openssl's refusal is read (no openssl command)\n";
    return;
  }
  const TemporaryFolder folder;
  write_authority(folder);
  const Bytes imprint = crypto::hash(DigestAlg::sha384, stamped());
  spill(folder.file("query"), cms::encode_timestamp_request(imprint, DigestAlg::sha384, {}, ""));

  const auto made = reply(folder);
  INFO(made.output);
  const auto response = must(cms::parse_timestamp_response(slurp(folder.file("reply"))));

  CHECK(response.status == 2);
  CHECK(response.failure_bits == std::vector<int>{0});
  CHECK_FALSE(response.status_text.empty());
  CHECK(response.token.empty());
}

TEST_CASE("timestamp request: is as RFC 3161 has it", "[cms]") {
  const Bytes imprint(32, 0xCD);

  CHECK(to_hex(cms::encode_timestamp_request(imprint, DigestAlg::sha256, {}, "")) ==
        "30390201013031300d060960864801650304020105000420" + to_hex(imprint) + "0101ff");
  CHECK(to_hex(cms::encode_timestamp_request(imprint, DigestAlg::sha256, hex("00ff01"), "1.2.3")) ==
        "30420201013031300d060960864801650304020105000420" + to_hex(imprint) +
            "06022a03"
            "020300ff01"
            "0101ff");
}

TEST_CASE("timestamp response: a refusal without a token is read", "[cms]") {
  // status 2, two texts with a control character, failInfo bits 2 and 14
  const auto response =
      must(cms::parse_timestamp_response(hex("3018"
                                             "3016"
                                             "020102"
                                             "300b"
                                             "0c0462616407"
                                             "0c036e6f21"
                                             "0304"
                                             "01"
                                             "2002"
                                             "00")));

  CHECK(response.status == 2);
  CHECK(response.status_text == "bad\\x07; no!");
  CHECK(response.failure_bits == std::vector<int>{2, 14});
  CHECK(response.token.empty());
}

TEST_CASE("timestamp response: lies are refused", "[cms]") {
  const auto der = GENERATE(as<std::string>(),
                            "",
                            "3000",
                            "30023000",
                            "3005300302010000",
                            "30073005020100"
                            "0500",
                            "30073003020100"
                            "0500",
                            "30053003"
                            "0201ff",
                            "3008"
                            "3006"
                            "020102"
                            "030108",
                            "3007"
                            "3005"
                            "020102"
                            "0300",
                            "300a"
                            "3008"
                            "020102"
                            "3003"
                            "130161");
  INFO(der);

  const auto response = cms::parse_timestamp_response(hex(der));

  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::input);
}

TEST_CASE("timestamp token: every prefix is refused and no flipped byte passes", "[cms]") {
  const Bytes der = token(truth());
  const auto parsed = must(cms::parse_signed_data(der));
  for (std::size_t size = 0; size < der.size(); ++size) {
    if (cms::parse_timestamp_token(ByteView(der).first(size))) {
      FAIL("prefix of " << size << " octets");
    }
  }
  const std::size_t begin = offset_of(der, parsed.certificates.front().der());
  const std::size_t end =
      offset_of(der, parsed.certificates.back().der()) + parsed.certificates.back().der().size();
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes flipped = der;
    flipped[i] ^= 0x01;
    const auto again = cms::parse_timestamp_token(flipped);
    const bool passed = again && cms::check_timestamp_token(*again, stamped()).empty();
    if (passed && (i < begin || i >= end)) {
      FAIL("byte " << i);
    }
  }
}

TEST_CASE("timestamp token: malformed TSTInfo is refused", "[cms]") {
  struct Lie {
    std::string what;
    std::function<void(TstRecipe&)> tell;
  };
  const std::vector<Lie> lies{
      {"version 2", [](TstRecipe& r) { r.version = 2; }},
      {"empty serial number", [](TstRecipe& r) { r.serial.clear(); }},
      {"time without Z", [](TstRecipe& r) { r.time = "20260301120000"; }},
      {"time with an offset", [](TstRecipe& r) { r.time = "20260301120000+0100"; }},
      {"time without seconds", [](TstRecipe& r) { r.time = "202603011200Z"; }},
      {"month 13", [](TstRecipe& r) { r.time = "20261301120000Z"; }},
      {"empty time", [](TstRecipe& r) { r.time.clear(); }},
      {"nonce before accuracy", [](TstRecipe& r) { r.tail = hex("0201013003020101"); }},
      {"two nonces", [](TstRecipe& r) { r.tail = hex("020101020102"); }},
      {"empty nonce", [](TstRecipe& r) { r.tail = hex("0200"); }},
      {"ordering 01", [](TstRecipe& r) { r.tail = hex("010101"); }},
      {"1000 ms", [](TstRecipe& r) { r.tail = hex("3004800203e8"); }},
      {"negative accuracy", [](TstRecipe& r) { r.tail = hex("30030201ff"); }},
      {"accuracy of ages", [](TstRecipe& r) { r.tail = hex("300a02087fffffffffffffff"); }},
      {"accuracy with micros before millis",
       [](TstRecipe& r) { r.tail = hex("3006810101800101"); }},
      {"extension without value", [](TstRecipe& r) { r.tail = hex("a106300406022a03"); }},
      {"indefinite length",
       [](TstRecipe& r) {
         r.tail =
             hex("a080820161"
                 "0000");
       }},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);
    TstRecipe recipe = truth();
    lie.tell(recipe);

    const auto parsed = cms::parse_timestamp_token(token(recipe));

    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::input);
  }
}

TEST_CASE("timestamp token: a SignedData that is no token is refused", "[cms]") {
  struct Lie {
    std::string what;
    std::function<void(CmsRecipe&)> tell;
    std::string reason;
  };
  const std::vector<Lie> lies{
      {"other content",
       [](CmsRecipe& r) { r.content_type = oid::kData; },
       "1.2.840.113549.1.7.1, not TSTInfo"},
      {"no OCTET STRING",
       [](CmsRecipe& r) { r.content = tst_info(truth()); },
       "not in an OCTET STRING"},
      {"two signers",
       [](CmsRecipe& r) { r.more_signers = {build_signer(r.signer, authority().key)}; },
       "2 signers"},
      {"bytes behind TSTInfo",
       [](CmsRecipe& r) {
         Bytes info = tst_info(truth());
         info.push_back(0);
         r.content = der::octet_string(info);
       },
       "TSTInfo"},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);

    const auto parsed = cms::parse_timestamp_token(token(lie.tell));

    REQUIRE_FALSE(parsed);
    CHECK_THAT(text_of(parsed.error()), Catch::Contains(lie.reason));
  }
}

TEST_CASE("timestamp token: lies about the imprint and the accuracy are found", "[cms]") {
  struct Lie {
    std::string what;
    std::function<void(TstRecipe&)> tell;
    std::string id;
  };
  const std::vector<Lie> lies{
      {"of another signature (TS-1)",
       [](TstRecipe& r) { r.imprint = crypto::hash(DigestAlg::sha256, Bytes{1}); },
       "timestamp-imprint"},
      {"empty (TS-2)", [](TstRecipe& r) { r.imprint.clear(); }, "timestamp-imprint"},
      {"its first octet only (TS-2)",
       [](TstRecipe& r) { r.imprint.resize(1); },
       "timestamp-imprint"},
      {"one octet more", [](TstRecipe& r) { r.imprint.push_back(0); }, "timestamp-imprint"},
      {"sha1",
       [](TstRecipe& r) {
         r.alg = DigestAlg::sha1;
         r.imprint = crypto::hash(DigestAlg::sha1, stamped());
       },
       "timestamp-weak-digest"},
      {"ten years (TS-6)",
       [](TstRecipe& r) { r.tail = hex("3006020412cc0300"); },
       "timestamp-accuracy"},
      {"an hour and a microsecond",
       [](TstRecipe& r) {
         r.tail =
             hex("3007"
                 "02020e10"
                 "810101");
       },
       "timestamp-accuracy"},
      {"an hour",
       [](TstRecipe& r) {
         r.tail =
             hex("3004"
                 "02020e10");
       },
       ""},
      {"critical extension",
       [](TstRecipe& r) {
         r.tail =
             hex("a10d300b"
                 "06022a03"
                 "0101ff"
                 "04020500");
       },
       "timestamp-structure"},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);
    TstRecipe recipe = truth();
    lie.tell(recipe);

    const auto findings = judge(token(recipe));

    INFO(describe(findings));
    CHECK(ids(findings) == lie.id);
  }
}

TEST_CASE("timestamp token: an unknown imprint algorithm is found", "[cms]") {
  Bytes info = tst_info(truth());
  const std::size_t at = offset_of(info, der::oid(oid::of(DigestAlg::sha256)));
  info[at + 10] = 0x7F;
  const Bytes der = build(token_recipe(authority(), info), authority().key);

  CHECK(ids(judge(der)) == "timestamp-imprint");
}

TEST_CASE("timestamp token: lies about the signer are found", "[cms]") {
  struct Lie {
    std::string what;
    std::function<void(CmsRecipe&)> tell;
    std::string id;
    std::string reason;
  };
  const auto set_ess = [](CmsRecipe& r, const Bytes& value) {
    attribute_named(r.signer.attributes, oid::kSigningCertificateV2) =
        attribute(oid::kSigningCertificateV2, {value});
  };
  const auto& leaf = authority().chain.front();
  const auto cert_id = [](ByteView content) {
    return der::sequence({der::sequence({der::sequence({content})})});
  };
  const std::vector<Lie> lies{
      {"broken signature (TS-7)",
       [](CmsRecipe& r) { r.signer.signature = Bytes(256, 1); },
       "timestamp-signature",
       "not made with the key"},
      {"no certificate",
       [](CmsRecipe& r) { r.certificates.clear(); },
       "timestamp-signature",
       "none of the 0"},
      {"no signed attributes",
       [](CmsRecipe& r) { r.signer.attributes.clear(); },
       "timestamp-certificate-binding timestamp-structure",
       "no signed attributes"},
      {"contentType id-data",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kContentType) =
             attribute(oid::kContentType, {der::oid(oid::kData)});
       },
       "timestamp-structure",
       "contentType attribute says"},
      {"messageDigest of something else",
       [](CmsRecipe& r) {
         attribute_named(r.signer.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest, {der::octet_string(Bytes(32, 0))});
       },
       "timestamp-signature",
       "messageDigest"},
      {"SignedData version 0",
       [](CmsRecipe& r) { r.version = 0; },
       "timestamp-structure",
       "version 0"},
      {"SignerInfo version 3 with issuer and serial",
       [](CmsRecipe& r) { r.signer.version = 3; },
       "timestamp-structure",
       "expected 1"},
      {"no ESS attribute (TS-5)",
       [](CmsRecipe& r) { drop_attribute(r.signer.attributes, oid::kSigningCertificateV2); },
       "timestamp-certificate-binding",
       "neither a signingCertificate"},
      {"ESS attribute is no SEQUENCE (TS-5)",
       [&](CmsRecipe& r) { set_ess(r, der::octet_string(Bytes(32, 1))); },
       "timestamp-certificate-binding",
       "tag 0x04"},
      {"ESS attribute is empty",
       [&](CmsRecipe& r) { set_ess(r, der::sequence({})); },
       "timestamp-certificate-binding",
       ""},
      {"ESSCertIDv2 of another certificate (TS-5)",
       [&](CmsRecipe& r) { set_ess(r, signing_certificate_v2(authority().chain.back())); },
       "timestamp-certificate-binding",
       "but the signer's has"},
      {"ESSCertIDv2 with an empty hash",
       [&](CmsRecipe& r) { set_ess(r, cert_id(der::octet_string({}))); },
       "timestamp-certificate-binding",
       "but the signer's has"},
      {"ESSCertIDv2 with MD5",
       [&](CmsRecipe& r) {
         const Bytes algorithm = der::algorithm_with_null(oid::of(DigestAlg::md5));
         const Bytes hash = der::octet_string(crypto::hash(DigestAlg::md5, leaf.der()));
         set_ess(r, der::sequence({der::sequence({der::sequence({algorithm, hash})})}));
       },
       "timestamp-certificate-binding",
       "is not usable"},
      {"right hash, other serial number",
       [&](CmsRecipe& r) {
         const Bytes hash = der::octet_string(crypto::hash(DigestAlg::sha256, leaf.der()));
         const Bytes names = der::sequence({der::tlv(der::context(4), leaf.issuer_der())});
         const Bytes other = der::sequence({names, der::integer(7)});
         set_ess(r, der::sequence({der::sequence({der::sequence({hash, other})})}));
       },
       "timestamp-certificate-binding",
       "serial number 07"},
      {"right hash, other issuer",
       [&](CmsRecipe& r) {
         const Bytes hash = der::octet_string(crypto::hash(DigestAlg::sha256, leaf.der()));
         const Bytes names = der::sequence({der::tlv(der::context(4), der::sequence({}))});
         const Bytes other = der::sequence({names, leaf.serial_der()});
         set_ess(r, der::sequence({der::sequence({der::sequence({hash, other})})}));
       },
       "timestamp-certificate-binding",
       "another issuer"},
      {"two ESS attributes",
       [](CmsRecipe& r) {
         r.signer.attributes.push_back(
             attribute_named(r.signer.attributes, oid::kSigningCertificateV2));
       },
       "timestamp-certificate-binding timestamp-structure",
       "occurs 2 times"},
      {"two values in the ESS attribute",
       [](CmsRecipe& r) {
         const Bytes value = signing_certificate_v2(authority().chain.front());
         attribute_named(r.signer.attributes, oid::kSigningCertificateV2) =
             attribute(oid::kSigningCertificateV2, {value, value});
       },
       "timestamp-certificate-binding",
       "has 2 values"},
      {"a v1 attribute of another certificate beside a right v2",
       [](CmsRecipe& r) {
         const Bytes id = der::sequence({der::octet_string(Bytes(20, 1))});
         r.signer.attributes.push_back(
             attribute(oid::kSigningCertificate, {der::sequence({der::sequence({id})})}));
       },
       "timestamp-certificate-binding",
       "with sha1 0101"},
      {"sha1 all over",
       [](CmsRecipe& r) {
         r.digest_algorithms = {der::algorithm_with_null(oid::of(DigestAlg::sha1))};
         r.signer.digest_algorithm = r.digest_algorithms.front();
         r.signer.signed_with = DigestAlg::sha1;
         attribute_named(r.signer.attributes, oid::kMessageDigest) =
             attribute(oid::kMessageDigest,
                       {der::octet_string(crypto::hash(DigestAlg::sha1, tst_info(truth())))});
       },
       "timestamp-weak-digest",
       "sha1"},
  };
  for (const auto& lie : lies) {
    INFO(lie.what);

    const auto findings = judge(token(lie.tell));

    INFO(describe(findings));
    CHECK(ids(findings) == lie.id);
    CHECK_THAT(describe(findings), Catch::Contains(lie.reason));
  }
}

TEST_CASE("timestamp token: a v1 binding alone passes", "[cms]") {
  const Bytes der = token([](CmsRecipe& r) {
    const Bytes hash = crypto::hash(DigestAlg::sha1, authority().chain.front().der());
    const Bytes id = der::sequence({der::octet_string(hash)});
    drop_attribute(r.signer.attributes, oid::kSigningCertificateV2);
    r.signer.attributes.push_back(
        attribute(oid::kSigningCertificate, {der::sequence({der::sequence({id})})}));
  });

  CHECK(describe(judge(der)) == "");
}

TEST_CASE("timestamp token: attribute certificates and more digest algorithms pass (TS-14)",
          "[cms]") {
  const Bytes der = token([](CmsRecipe& r) {
    r.certificates.push_back(der::tlv(der::context(1), der::null()));
    r.digest_algorithms.push_back(der::algorithm_with_null(oid::of(DigestAlg::sha512)));
  });

  CHECK(describe(judge(der)) == "");
}

TEST_CASE("timestamp token: a signer named by key identifier passes", "[cms]") {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(authority().chain.front().x509());
  REQUIRE(id != nullptr);
  const ByteView key_id(ASN1_STRING_get0_data(id),
                        static_cast<std::size_t>(ASN1_STRING_length(id)));
  const auto named = [&](ByteView name) {
    return token([&](CmsRecipe& r) {
      r.signer.version = 3;
      r.signer.sid = der::tlv(der::context_primitive(0), name);
    });
  };

  CHECK(describe(judge(named(key_id))) == "");
  CHECK(ids(judge(named(key_id.first(key_id.size() - 1)))) == "timestamp-signature");
  CHECK(ids(judge(named(ByteView()))) == "timestamp-signature");
}

TEST_CASE("timestamp token: the certificate must be for timestamping alone", "[cms]") {
  struct Row {
    std::string usage;
    std::string id;
  };
  const auto row = GENERATE(values<Row>({
      {"", "timestamp-eku"},
      {"codeSigning", "timestamp-eku"},
      {"critical,codeSigning", "timestamp-eku"},
      {"critical,anyExtendedKeyUsage", "timestamp-eku"},
      {"timeStamping", "timestamp-eku-not-critical"},
      {"critical,timeStamping,codeSigning", "timestamp-eku-not-alone"},
      {"timeStamping,codeSigning", "timestamp-eku-not-alone timestamp-eku-not-critical"},
      {"critical,timeStamping", ""},
  }));
  INFO(row.usage);
  const auto odd = authority_with_eku(row.usage);

  const auto findings = judge(build(token_recipe(odd, tst_info(truth())), odd.key));

  CHECK(ids(findings) == row.id);
}
