// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include "support/catch.hpp"

#include <signctl/digest_alg.hpp>

using namespace signctl;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 37U + 11U);
  }
  return bytes;
}

}  // namespace

TEST_CASE("hex: round trip and either case", "[core]") {
  const Bytes bytes{0x00, 0x7F, 0x80, 0xFF};

  CHECK(to_hex(bytes) == "007f80ff");
  CHECK(from_hex("007F80fF") == bytes);
  CHECK(from_hex("") == Bytes{});
  for (const char* wrong : {"0", "0g", "0x00", "00 ", " 00", "-1"}) {
    INFO(wrong);
    CHECK_FALSE(from_hex(wrong));
  }
}

TEST_CASE("base64: the vectors of RFC 4648, 10", "[core]") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    INFO(plain);
    CHECK(to_base64(as_bytes(plain)) == coded);
    REQUIRE(from_base64(coded));
    CHECK(as_text(*from_base64(coded)) == plain);
  }
}

TEST_CASE("base64: round trip of every length up to a few groups", "[core]") {
  for (std::size_t size = 0; size < 20; ++size) {
    INFO(size);
    CHECK(from_base64(to_base64(counted(size))) == counted(size));
  }
}

TEST_CASE("base64: line breaks are skipped, anything else wrong is refused", "[core]") {
  CHECK(from_base64("Zm9v\r\nYmFy\n") == from_base64("Zm9vYmFy"));
  for (const char* wrong : {"Z",
                            "Zg",
                            "Zg=",
                            "Zg===",
                            "=",
                            "====",
                            "Zg==Zg==",
                            "Zm9v=",
                            "Zh==",
                            "Zm9=",
                            "Zm9v!",
                            "Zm-_"}) {
    INFO(wrong);
    CHECK_FALSE(from_base64(wrong));
  }
}

TEST_CASE("iso 8601: known times", "[core]") {
  CHECK(to_iso8601(TimePoint{}) == "1970-01-01T00:00:00Z");
  CHECK(to_iso8601(TimePoint{seconds{1795430514}}) == "2026-11-23T10:41:54Z");
  CHECK(to_iso8601(TimePoint{seconds{-1}}) == "1969-12-31T23:59:59Z");
  CHECK(from_iso8601("2026-11-23T10:41:54Z") == TimePoint{seconds{1795430514}});
  CHECK(from_iso8601("2024-02-29") == TimePoint{seconds{1709164800}});
}

TEST_CASE("iso 8601: times beyond four digits of a year stay readable", "[core]") {
  CHECK(to_iso8601(TimePoint::max()) == "9999-12-31T23:59:59Z");
  CHECK(to_iso8601(TimePoint::min()) == "0000-01-01T00:00:00Z");
}

TEST_CASE("iso 8601: round trip", "[core]") {
  for (std::int64_t t = -3'000'000'000; t < 30'000'000'000; t += 123'456'789) {
    const TimePoint time{seconds{t}};
    INFO(to_iso8601(time));
    CHECK(from_iso8601(to_iso8601(time)) == time);
  }
}

TEST_CASE("iso 8601: anything else is refused", "[core]") {
  for (const char* wrong : {"",
                            "2026",
                            "2026-11",
                            "2026-13-01",
                            "2026-00-01",
                            "2023-02-29",
                            "2026-11-23T",
                            "2026-11-23Z",
                            "2026-11-23T10:41:54",
                            "2026-11-23T10:41:54+00:00",
                            "2026-11-23 10:41:54Z",
                            "2026-11-23T24:00:00Z",
                            "2026-11-23T10:60:00Z",
                            "2026-11-23T10:41:60Z",
                            "2026-11-23T10:41:54Z ",
                            " 2026-11-23",
                            "+026-11-23",
                            "2026-1-23",
                            "20261123"}) {
    INFO(wrong);
    CHECK_FALSE(from_iso8601(wrong));
  }
}

TEST_CASE("printable: ordinary text in any script stays as it is", "[core]") {
  for (const char* text :
       {"", "setup.exe", "C:\\a b\\c", "Grüße", "日本語", "עברית", "😀", "a\u200Db"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("printable: what could fool a terminal is escaped", "[core]") {
  struct Row {
    std::string what;
    std::string text;
    std::string shown;
  };
  const auto row = GENERATE(values<Row>({
      {"escape sequence", "a\x1b[31mb", "a\\x1b[31mb"},
      {"line break", "a\r\nb", "a\\x0d\\x0ab"},
      {"zero", std::string("a\0b", 3), "a\\x00b"},
      {"delete", "a\x7f", "a\\x7f"},
      {"C1 control CSI", "\xC2\x9B", "\\xc2\\x9b"},
      {"right-to-left override", "a\u202Egpj.exe", "a\\xe2\\x80\\xaegpj.exe"},
      {"right-to-left isolate", "\u2067", "\\xe2\\x81\\xa7"},
      {"left-to-right mark", "\u200E", "\\xe2\\x80\\x8e"},
      {"arabic letter mark", "\u061C", "\\xd8\\x9c"},
      {"line separator", "\u2028", "\\xe2\\x80\\xa8"},
      {"zero width space", "\u200B", "\\xe2\\x80\\x8b"},
      {"byte order mark", "\uFEFF", "\\xef\\xbb\\xbf"},
      {"lone continuation byte", "\x80", "\\x80"},
      {"cut sequence", "\xE2\x82", "\\xe2\\x82"},
      {"overlong slash", "\xC0\xAF", "\\xc0\\xaf"},
      {"overlong three bytes", "\xE0\x80\xAF", "\\xe0\\x80\\xaf"},
      {"surrogate", "\xED\xA0\x80", "\\xed\\xa0\\x80"},
      {"above U+10FFFF", "\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"five byte form", "\xF8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
  }));
  INFO(row.what);
  CHECK(printable(row.text) == row.shown);
}

TEST_CASE("join and to_lower", "[core]") {
  const std::vector<std::string> parts{"a", "", "c"};

  CHECK(join(parts, ", ") == "a, , c");
  CHECK(join({}, ", ").empty());
  CHECK(to_lower("AbZ-Ä9") == "abz-Ä9");
}

TEST_CASE("did you mean: a typo finds its word, a stranger does not", "[core]") {
  const std::vector<std::string> words{"timestamp", "signer", "digest", "url", "files", "exclude"};

  CHECK(did_you_mean("timestmap", words) == std::string("timestamp"));
  CHECK(did_you_mean("Signers", words) == std::string("signer"));
  CHECK(did_you_mean("digets", words) == std::string("digest"));
  CHECK(did_you_mean("ulr", words) == std::string("url"));
  CHECK(did_you_mean("file", words) == std::string("files"));
  CHECK_FALSE(did_you_mean("password", words));
  CHECK_FALSE(did_you_mean("", words));
  CHECK_FALSE(did_you_mean("x", words));
  CHECK_FALSE(did_you_mean(std::string(100'000, 'a'), words));
  CHECK_FALSE(did_you_mean("a", std::vector<std::string>{"b", std::string(100'000, 'a')}));
}

TEST_CASE("durations: a number and a unit", "[core]") {
  CHECK(parse_duration("500ms") == milliseconds{500});
  CHECK(parse_duration("30s") == milliseconds{30'000});
  CHECK(parse_duration("15m") == milliseconds{900'000});
  CHECK(parse_duration("2h") == milliseconds{7'200'000});
  CHECK(parse_duration("0s") == milliseconds{0});
  for (const char* wrong : {"",
                            "s",
                            "5",
                            "-5s",
                            "-0s",
                            "+5s",
                            " 5s",
                            "5 s",
                            "5S",
                            "5d",
                            "1.5h",
                            "5s5",
                            "99999999999999999999s",
                            "9223372036854775807h",
                            "9999999h"}) {
    INFO(wrong);
    CHECK_FALSE(parse_duration(wrong));
  }
}

TEST_CASE("digest names: with and without hyphen, either case", "[core]") {
  CHECK(find_digest_alg("sha256") == DigestAlg::sha256);
  CHECK(find_digest_alg("SHA256") == DigestAlg::sha256);
  CHECK(find_digest_alg("SHA-256") == DigestAlg::sha256);
  CHECK(find_digest_alg("sha-1") == DigestAlg::sha1);
  CHECK(find_digest_alg("Sha-384") == DigestAlg::sha384);
  CHECK(find_digest_alg("md5") == DigestAlg::md5);
  for (const char* wrong :
       {"", "sha", "sha-", "sha2", "sha--256", "sha-2-56", "sha512/256", "sha3-256", "md-5"}) {
    INFO(wrong);
    CHECK_FALSE(find_digest_alg(wrong));
  }
}
