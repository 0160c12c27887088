// SPDX-License-Identifier: Apache-2.0
#include "cms/authenticode.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "fixtures.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

cms::IndirectData pe_data() {
  cms::IndirectData data;
  data.data_type = oid::kSpcPeImageData;
  data.data_value = hex("3009030100a004a2028000");
  data.digest = Bytes(32, 0xAB);
  return data;
}

}  // namespace

TEST_CASE("indirect data: is written as signtool writes it", "[cms]") {
  const Bytes der = cms::encode_indirect_data(pe_data());

  CHECK(to_hex(der) ==
        "304c"
        "3017060a2b06010401823702010f3009030100a004a2028000"
        "3031300d060960864801650304020105000420" +
            to_hex(Bytes(32, 0xAB)));
}

TEST_CASE("indirect data: reads back what was written", "[cms]") {
  const auto alg = GENERATE(DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha512);
  cms::IndirectData data = pe_data();
  data.alg = alg;
  data.digest = Bytes(digest_size(alg), 0x11);

  const auto back = must(cms::parse_indirect_data(cms::encode_indirect_data(data)));

  CHECK(back.data_type == data.data_type);
  CHECK(back.data_value == data.data_value);
  CHECK(back.alg == alg);
  CHECK(back.digest == data.digest);
}

TEST_CASE("indirect data: a data value may be absent", "[cms]") {
  cms::IndirectData data = pe_data();
  data.data_value.clear();

  const auto back = must(cms::parse_indirect_data(cms::encode_indirect_data(data)));

  CHECK(back.data_value.empty());
}

TEST_CASE("indirect data: every prefix is refused", "[cms]") {
  const Bytes der = cms::encode_indirect_data(pe_data());
  for (std::size_t size = 0; size < der.size(); ++size) {
    INFO(size);
    CHECK_FALSE(cms::parse_indirect_data(ByteView(der).first(size)));
  }
}

TEST_CASE("indirect data: lies are refused", "[cms]") {
  const std::string data = "3017060a2b06010401823702010f3009030100a004a2028000";
  const std::string digest = "0420" + to_hex(Bytes(32, 0xAB));
  struct Lie {
    std::string what;
    std::string der;
    std::string reason;
  };
  const auto lie = GENERATE_COPY(values<Lie>({
      {"digest too short",
       "302c" + data +
           "3011300d06096086480165030402010500"
           "0400",
       "the file digest has 0 octets"},
      {"unknown algorithm",
       "3048" + data +
           "302d30090605"
           "2b0e03021d0500" +
           digest,
       "unknown: 1.3.14.3.2.29"},
      {"algorithm parameters",
       "304d" + data + "3032300e0609608648016503040201040101" + digest,
       "has parameters"},
      {"a byte behind", "304c" + data + "3031300d06096086480165030402010500" + digest + "00", ""},
      {"a byte inside the digest",
       "304e" + data + "3033300d06096086480165030402010500" + digest + "0500",
       ""},
      {"indefinite length",
       "3080" + data + "3031300d06096086480165030402010500" + digest + "0000",
       ""},
      {"long form length", "30814c" + data + "3031300d06096086480165030402010500" + digest, ""},
      {"not a sequence", "314c" + data + "3031300d06096086480165030402010500" + digest, ""},
  }));
  INFO(lie.what);

  const auto parsed = cms::parse_indirect_data(hex(lie.der));

  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().kind == ErrorKind::input);
  CHECK_THAT(parsed.error().message, Catch::Contains(lie.reason));
}

TEST_CASE("opus info: is an empty sequence without name and URL", "[cms]") {
  CHECK(to_hex(cms::encode_opus_info({})) == "3000");
}

TEST_CASE("opus info: the name is a BMPString and the URL an IA5String", "[cms]") {
  const Bytes der = cms::encode_opus_info({"A\xC3\xA9", "http://a"});

  CHECK(to_hex(der) == "3014a0068004004100e9a10a8008687474703a2f2f61");
}

TEST_CASE("opus info: reads back what was written, with characters beyond the BMP", "[cms]") {
  const cms::OpusInfo info{"Grüße \xF0\x9F\x98\x80", "https://example.com/?a=b"};

  const auto back = must(cms::parse_opus_info(cms::encode_opus_info(info)));

  CHECK(back.program_name == info.program_name);
  CHECK(back.more_info_url == info.more_info_url);
}

TEST_CASE("opus info: other tools' forms are read", "[cms]") {
  struct Row {
    std::string der;
    std::string name;
    std::string url;
  };
  const auto row = GENERATE(values<Row>({
      {"3007a0058103416263", "Abc", ""},
      {"3009a107a2058103616263", "", "file abc"},
      {"3000", "", ""},
      {"300aa2088006616263646566", "", ""},
      {"301aa118a116041000112233445566778899aabbccddeeff04020500",
       "",
       "moniker of class 00112233445566778899aabbccddeeff"},
      {"3006a004810241"
       "07",
       "A\\x07",
       ""},
  }));
  INFO(row.der);

  const auto info = must(cms::parse_opus_info(hex(row.der)));

  CHECK(info.program_name == row.name);
  CHECK(info.more_info_url == row.url);
}

TEST_CASE("opus info: lies are refused", "[cms]") {
  const auto der = GENERATE(as<std::string>(),
                            "",
                            "30",
                            "3100",
                            "300000",
                            "3007a00580034162"
                            "63",
                            "3007a0058203416263",
                            "3007a105830341"
                            "6263",
                            "3009a107a0058103616263",
                            "3009a0078103416263"
                            "0500",
                            "3002a000",
                            "3080a00581034162630000");
  INFO(der);

  CHECK_FALSE(cms::parse_opus_info(hex(der)));
}

TEST_CASE("signed attributes: are signtool's four, sorted by their encoding", "[cms]") {
  cms::SignedAttributesSpec spec;
  spec.content_type = oid::kSpcIndirectData;
  spec.message_digest = Bytes(32, 0x22);

  const Bytes der = cms::encode_signed_attributes(spec);

  CHECK(to_hex(der) ==
        "317c"
        "3010060a2b06010401823702010c31023000"
        "301906092a864886f70d010903310c060a2b060104018237020104"
        "301c060a2b06010401823702010b310e300c060a2b060104018237020115"
        "302f06092a864886f70d01090431220420" +
            to_hex(Bytes(32, 0x22)));
}

TEST_CASE("signed attributes: a nested signature carries its number", "[cms]") {
  cms::SignedAttributesSpec spec;
  spec.content_type = oid::kSpcIndirectData;
  spec.message_digest = Bytes(32, 0x22);
  spec.sequence_number = 1;

  const Bytes der = cms::encode_signed_attributes(spec);

  const Bytes number =
      hex("3011060a2a864886f70d01091904"
          "3103020101");
  CHECK(offset_of(der, number) == 3 + 18);
}

TEST_CASE("signed attributes: no signing time is written", "[cms]") {
  cms::SignedAttributesSpec spec;
  spec.content_type = oid::kSpcIndirectData;
  spec.message_digest = Bytes(32, 0x22);

  CHECK(cms::encode_signed_attributes(spec) == cms::encode_signed_attributes(spec));
  CHECK_THROWS(offset_of(cms::encode_signed_attributes(spec), der::oid(oid::kSigningTime)));
}
