// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <map>

namespace signctl::der {
namespace {

using test::must;

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

std::string why_not(std::string_view text) {
  const Bytes bytes = hex(text);
  Parser parser(bytes);
  const auto tlv = parser.next("thing");
  if (tlv) {
    return "";
  }
  CHECK(tlv.error().kind == ErrorKind::input);
  return tlv.error().message;
}

}  // namespace

TEST_CASE("der: a length in each minimal form is read", "[crypto]") {
  for (const std::size_t size : {std::size_t{0},
                                 std::size_t{1},
                                 std::size_t{127},
                                 std::size_t{128},
                                 std::size_t{255},
                                 std::size_t{256},
                                 std::size_t{65'535},
                                 std::size_t{65'536},
                                 std::size_t{1} << 24U}) {
    const Bytes encoded = octet_string(Bytes(size, 0x5A));

    const Tlv read = must(parse_whole(encoded, kOctetString, "octets"));

    CHECK(read.content.size() == size);
    CHECK(read.full.size() == encoded.size());
    CHECK(check_strict(encoded));
  }
}

TEST_CASE("der: lengths that lie are refused with the reason", "[crypto]") {
  const std::map<std::string, std::string> lies{
      {"", "ends too early"},
      {"30", "ends too early"},
      {"3080", "an indefinite length"},
      {"30800000", "an indefinite length"},
      {"048100", "not minimal"},
      {"04817f" + std::string(254, 'a'), "not minimal"},
      {"048200ff" + std::string(510, 'a'), "not minimal"},
      {"0484000000ff" + std::string(510, 'a'), "not minimal"},
      {"0401", "reaches past the end"},
      {"0481ff00", "reaches past the end"},
      {"0484ffffffff", "reaches past the end"},
      {"04847fffffff00", "reaches past the end"},
      {"0481", "does not fit"},
      {"0484ffff", "does not fit"},
      {"0485ffffffffff", "does not fit"},
      {"0488ffffffffffffffff", "does not fit"},
      {"04ff" + std::string(254, 'f'), "does not fit"},
      {"1f0100", "a tag number above 30"},
      {"bf8a3900", "a tag number above 30"},
  };
  for (const auto& [text, reason] : lies) {
    INFO(text.substr(0, 24));
    CHECK(why_not(text).find(reason) != std::string::npos);
    CHECK(why_not(text).find(" at offset 0") != std::string::npos);
  }
}

TEST_CASE("der: every prefix of a structure is refused", "[crypto]") {
  const Bytes whole = sequence({integer(300),
                                oid("1.2.840.113549.1.7.2"),
                                set({octet_string(Bytes(200, 1)), null()}),
                                generalized_time(1'795'435'200)});
  REQUIRE(check_strict(whole));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(check_strict(ByteView(whole).first(size)));
    CHECK_FALSE(parse_whole(ByteView(whole).first(size), kSequence, "whole"));
  }
  Bytes longer = whole;
  longer.push_back(0);
  CHECK_FALSE(parse_whole(longer, kSequence, "whole"));
}

TEST_CASE("der: a lie inside is found by the strict walk, and its depth is bounded", "[crypto]") {
  CHECK_FALSE(
      check_strict(hex("3004"
                       "0480"
                       "0000")));
  CHECK_FALSE(
      check_strict(hex("3005"
                       "3003"
                       "048101")));
  CHECK(
      check_strict(hex("3004"
                       "0402"
                       "0480")));  // Inside a primitive one nothing is looked at.

  Bytes deep = null();
  for (int i = 0; i < 64; ++i) {
    deep = sequence({deep});
  }
  CHECK(check_strict(deep));
  CHECK_FALSE(check_strict(sequence({sequence({deep})})));
}

TEST_CASE("der: a parser that refused has not moved", "[crypto]") {
  const Bytes bytes = hex("0201050500");
  Parser parser(bytes);

  CHECK_FALSE(parser.expect(kOctetString, "octets"));
  CHECK(parser.position() == 0);
  CHECK_FALSE(must(parser.optional(kBoolean, "flag")));
  CHECK(must(parser.small_integer("number")) == 5);
  CHECK(parser.peek() == kNull);
  const auto end = parser.end("list");
  REQUIRE_FALSE(end);
  CHECK(end.error().message == "list: 2 bytes too many at offset 3");
}

TEST_CASE("der: integers", "[crypto]") {
  // X.690, 8.3.2: no nine equal leading bits.
  const std::map<std::uint64_t, std::string> vectors{
      {0, "020100"},
      {127, "02017f"},
      {128, "02020080"},
      {256, "02020100"},
      {0xFFFFFFFFFFFFFFFFU, "020900ffffffffffffffff"},
      {0x8000000000000000U,
       "02090080000000000000"
       "00"}};
  for (const auto& [value, text] : vectors) {
    CHECK(to_hex(integer(value)) == text);
    const Bytes bytes = hex(text);
    Parser parser(bytes);
    CHECK(must(parser.small_integer("number")) == value);
  }
  for (const char* text : {"0200",
                           "0201ff",
                           "020180",
                           "02020001",
                           "0202007f",
                           "0209010000000000000000",
                           "020a00ffffffffffffffffff",
                           "040101"}) {
    INFO(text);
    const Bytes bytes = hex(text);
    Parser parser(bytes);
    CHECK_FALSE(parser.small_integer("number"));
  }
  CHECK(to_hex(unsigned_integer(hex("0000ff"))) == "020200ff");
  CHECK(to_hex(unsigned_integer({})) == "020100");
}

TEST_CASE("der: object identifiers, as X.690 and the registries have them", "[crypto]") {
  const std::map<std::string, std::string> vectors{
      {"2.999.3", "0603883703"},  // X.690, 8.19.5
      {"1.2.840.113549", "06062a864886f70d"},
      {"1.3.6.1.4.1.311.2.1.4", "060a2b060104018237020104"},
      {"0.0", "060100"},
      {"0.39", "060127"},
      {"1.0", "060128"},
      {"1.39", "06014f"},
      {"2.0", "060150"},
      {"2.47", "06017f"},
      {"2.48", "06028100"},
      {"2.5.29.37.0", "0604551d2500"},
      // A UUID below 2.25 (X.667), 128 bits.
      {"2.25.329800735698586629295641978511506172918",
       "0614"
       "6983f89f"
       "9ea0de8fd1cd8ef3"
       "95e29ec899a8"
       "8036"},
  };
  for (const auto& [dotted, text] : vectors) {
    if (dotted.size() > 30) {
      const Bytes encoded = oid(dotted);
      CHECK(must(oid_text(ByteView(encoded).subspan(2))) == dotted);
      continue;
    }
    CHECK(to_hex(oid(dotted)) == text);
    CHECK(must(oid_text(ByteView(hex(text)).subspan(2))) == dotted);
  }
  for (const char* content : {"", "80", "8001", "2a8001", "2a86", "2aff"}) {
    INFO(content);
    CHECK_FALSE(oid_text(hex(content)));
  }
  CHECK_FALSE(oid_text(Bytes(65, 0x01)));
}

TEST_CASE("der: times", "[crypto]") {
  const auto read = [](std::uint8_t tag, std::string_view text) {
    const Bytes encoded = tlv(tag, as_bytes(text));
    return read_time(must(parse_whole(encoded, tag, "time")), "time");
  };
  CHECK(must(read(kUtcTime, "700101000000Z")) == 0);
  CHECK(must(read(kUtcTime, "491231235959Z")) == 2'524'607'999);
  CHECK(must(read(kUtcTime, "500101000000Z")) == -631'152'000);
  CHECK(must(read(kGeneralizedTime, "20261123120000Z")) == 1'795'435'200);
  CHECK(must(read(kGeneralizedTime, "20261123120000.25Z")) == 1'795'435'200);
  CHECK(must(read(kGeneralizedTime, "20240229000000Z")) == 1'709'164'800);
  CHECK(must(read(kGeneralizedTime, "99991231235959Z")) == 253'402'300'799);
  for (const char* wrong : {"",
                            "20261123120000",
                            "202611231200Z",
                            "20261123120000+0100",
                            "20261123120000.Z",
                            "20261123120000.2xZ",
                            "20261323120000Z",
                            "20260023120000Z",
                            "20261100120000Z",
                            "20261131120000Z",
                            "20250229120000Z",
                            "21000229120000Z",
                            "20261123240000Z",
                            "20261123126000Z",
                            "20261123120060Z",
                            "2026112312000xZ"}) {
    INFO(wrong);
    CHECK_FALSE(read(kGeneralizedTime, wrong));
  }
  for (const char* wrong :
       {"", "7001010000Z", "700101000000", "700101000000+0000", "701301000000Z"}) {
    INFO(wrong);
    CHECK_FALSE(read(kUtcTime, wrong));
  }
  CHECK_FALSE(read(kUtf8String, "20261123120000Z"));
  CHECK(as_text(ByteView(generalized_time(0)).subspan(2)) == "19700101000000Z");
  CHECK(as_text(ByteView(generalized_time(253'402'300'799)).subspan(2)) == "99991231235959Z");
}

TEST_CASE("der: a set of is sorted by its encodings", "[crypto]") {
  // X.690, 11.6.
  const Bytes sorted = set_of({hex("040102"), hex("0500"), hex("0401ff"), hex("020101")});

  CHECK(to_hex(sorted) ==
        "310b"
        "020101"
        "040102"
        "0401ff"
        "0500");
}

TEST_CASE("der: an algorithm is an identifier and at most one parameter", "[crypto]") {
  const auto read = [](std::string_view text) {
    static Bytes bytes;
    bytes = hex(text);
    Parser parser(bytes);
    return read_algorithm(parser, "algorithm");
  };
  CHECK(must(read("300d06092a864886f70d01010b0500")).oid == "1.2.840.113549.1.1.11");
  CHECK(to_hex(must(read("300d06092a864886f70d01010b0500")).parameters) == "0500");
  CHECK(must(read("300b06092a864886f70d01010b")).parameters.empty());
  CHECK_FALSE(read("300f06092a864886f70d01010b05000500"));
  CHECK_FALSE(read("3000"));
  CHECK_FALSE(read("30020500"));
  CHECK(to_hex(algorithm_with_null("1.2.3")) == "300606022a030500");
  CHECK(to_hex(algorithm_bare("1.2.3")) == "300406022a03");
}

TEST_CASE("der: BMPString and UTF-8 agree, and broken text does no harm", "[crypto]") {
  const std::string text = "a\u00e9\u20ac\U0001F600";
  CHECK(to_hex(bmp_content(text)) ==
        "0061"
        "00e9"
        "20ac"
        "d83dde00");
  CHECK(bmp_to_utf8(bmp_content(text)) == text);
  const std::string replacement = "\uFFFD";
  CHECK(bmp_to_utf8(hex("d83d0061")) == replacement + "a");
  CHECK(bmp_to_utf8(hex("de00")) == replacement);
  CHECK(bmp_to_utf8(hex("d83d")) == replacement);
  CHECK(bmp_to_utf8(hex("006100")) == "a");
  for (const char* broken : {"\x80", "\xff", "\xc3", "\xe2\x82", "\xc0\x80", "\xf5\x80\x80\x80"}) {
    INFO(broken);
    CHECK(to_hex(bmp_content(broken)).substr(0, 4) == "fffd");
  }
}

TEST_CASE("der: UTF-8 that is no character becomes the replacement character", "[crypto]") {
  // Overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629, 3).
  for (const char* broken :
       {"\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    INFO(to_hex(as_bytes(broken)));
    CHECK(to_hex(bmp_content(broken)).substr(0, 4) == "fffd");
  }
}

TEST_CASE("der: random bytes never crash the readers", "[crypto]") {
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes = crypto::random_bytes(static_cast<std::size_t>(i % 40) + 1);
    bytes[0] = i % 2 == 0 ? std::uint8_t{kSequence} : bytes[0];
    Parser parser(bytes);
    std::size_t last = 0;
    while (const auto tlv = parser.next("noise")) {
      REQUIRE(parser.position() > last);
      last = parser.position();
      static_cast<void>(oid_text(tlv->content));
      static_cast<void>(read_time(*tlv, "noise"));
      static_cast<void>(bmp_to_utf8(tlv->content));
      if (parser.at_end()) {
        break;
      }
    }
    static_cast<void>(check_strict(bytes));
  }
}

}  // namespace signctl::der
