// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"
#include "script_test.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// SHA-256 of hexadecimal bytes, written by hand in the tests below.
std::string hash_of(const std::string& hex) {
  return to_hex(crypto::hash(DigestAlg::sha256, from_hex(hex).value()));
}

std::string fact(Signable& file, const std::string& name) {
  for (const FileFact& one : must(file.facts())) {
    if (one.name == name) {
      return one.value;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("script: the text is hashed as UTF-16LE whatever it is stored as", "[script]") {
  // "A" and the euro sign, in PowerShell, where a byte order mark counts as a character.
  CHECK(digest_hex_of(*open("ps1", "A\xE2\x82\xAC")) == hash_of("4100ac20"));
  CHECK(digest_hex_of(*open("ps1",
                            "\xEF\xBB\xBF"
                            "A\xE2\x82\xAC")) == hash_of("fffe4100ac20"));
  CHECK(digest_hex_of(*open("ps1",
                            std::string("\xFF\xFE"
                                        "A\0\xAC\x20",
                                        6))) == hash_of("fffe4100ac20"));
  CHECK(digest_hex_of(*open("ps1", std::string("\xFE\xFF\0A\x20\xAC", 6))) ==
        hash_of("fffe4100ac20"));
}

TEST_CASE("script: characters beyond the first plane are two units", "[script]") {
  CHECK(digest_hex_of(*open("ps1", "\xF0\x9F\x98\x80")) == hash_of("3dd800de"));
  // The place behind them counts units, not characters.
  CHECK(digest_hex_of(*open("wsf", "\xF0\x9F\x98\x80</job>")) ==
        hash_of("3dd800de3c002f006a006f0062003e00"
                "02000000"));
}

TEST_CASE("script: without a mark some languages are Windows-1252", "[script]") {
  // All octets that the code page leaves open map to themselves.
  CHECK(digest_hex_of(*open("ps1xml", "\x80\x81\x8D\x8F\x90\x9D\x9F\xFF")) ==
        hash_of("ac2081008d008f0090009d007801ff00"));
  // Even what would be UTF-8.
  CHECK(digest_hex_of(*open("vbs", "\xC3\xA9")) == hash_of("c300a90002000000"));
  CHECK(digest_hex_of(*open("wsf", "\xC3\xA9</job>")) ==
        hash_of("e9003c002f006a006f0062003e0001000000"));
}

TEST_CASE("script: script hosts hash the place of the block, and no byte order mark", "[script]") {
  CHECK(digest_hex_of(*open("vbs", "AB")) == hash_of("4100420002000000"));
  CHECK(digest_hex_of(*open("vbs",
                            "\xEF\xBB\xBF"
                            "AB")) == hash_of("4100420002000000"));
  CHECK(digest_hex_of(*open("js", utf16("AB", true))) == hash_of("4100420002000000"));
}

TEST_CASE("script: a PowerShell text that is not UTF-8 is Windows-1252, with a warning",
          "[script]") {
  const std::string text = "# caf\xE9\r\n";

  CHECK(digest_hex_of(*open("ps1", text)) == hash_of("23002000630061006600e9000d000a00"));
  CHECK(fact(*open("ps1", text), "encoding") == "Windows-1252");
  CHECK(finding_ids("ps1", text) == Ids{"script-encoding-guessed warning"});
  CHECK(finding_ids("ps1", "# caf\xC3\xA9") == Ids{"script-without-mark info"});
  CHECK(finding_ids("vbs", "' caf\xE9") == Ids{"script-without-mark info"});
  CHECK(finding_ids("ps1", "\xEF\xBB\xBF# caf\xC3\xA9").empty());
  CHECK(finding_ids("ps1", "# cafe").empty());
}

TEST_CASE("script: signing and removing gives every byte back, in every encoding", "[script]") {
  for (const script::Dialect& dialect : script::dialects()) {
    const std::string extension(dialect.extension);
    const std::string plain = sample(extension);
    const std::string lf = extension == "wsf" ? "<job>\n</job>" : "a\nb  \n \n";
    for (const std::string& text : {plain,
                                    lf,
                                    plain + "   ",
                                    plain + "\n\n\n",
                                    "\xEF\xBB\xBF" + plain,
                                    "\xEF\xBB\xBF' \xC3\xA9\r" + plain,
                                    "' \x80\xE9\x9D" + plain,
                                    utf16(plain, false),
                                    utf16(lf, true)}) {
      INFO(extension << ": " << printable(text));
      const std::string before = digest_hex_of(*open(extension, text));

      const std::string signed_text = with_signature(extension, text);

      const auto file = open(extension, signed_text);
      CHECK(digest_hex_of(*file) == before);
      REQUIRE(must(file->signatures()).size() == 1);
      CHECK(must(file->signatures()).front().cms == some_signature());
      CHECK(without_signature(extension, signed_text) == text);
      CHECK(with_signature(extension, signed_text) == signed_text);
      for (const std::string& id : finding_ids(extension, signed_text)) {
        CHECK(id.find("error") == std::string::npos);
      }
    }
  }
}

TEST_CASE("script: inspect tells encoding and line breaks", "[script]") {
  const auto breaks = [](std::string_view text) { return fact(*open("ps1", text), "line breaks"); };
  CHECK(breaks("a\r\nb\r\n") == "CR LF");
  CHECK(breaks("a\nb\n") == "LF");
  CHECK(breaks("a\r\nb\n") == "mixed");
  CHECK(breaks("a") == "none");
  CHECK(fact(*open("ps1", utf16("x", false)), "encoding") == "UTF-16LE with byte order mark");
  CHECK(fact(*open("ps1", utf16("x", true)), "encoding") == "UTF-16BE with byte order mark");
  CHECK(fact(*open("ps1", "\xEF\xBB\xBFx"), "encoding") == "UTF-8 with byte order mark");
  CHECK(fact(*open("ps1", "x"), "encoding") == "ASCII");
  CHECK(fact(*open("psd1", "x"), "language") == "PowerShell data file");
}

TEST_CASE("script: what is not text is refused with words", "[script]") {
  struct Row {
    std::string text;
    const char* message;
  };
  const std::vector<Row> rows{
      {std::string("a\0b", 3), "there is a NUL character at byte 1, so this is no text"},
      // UTF-16 without a mark, and UTF-32.
      {std::string("a\0b\0", 4), "there is a NUL character at byte 1, so this is no text"},
      {std::string("\xFF\xFE\0\0a\0\0\0", 8),
       "there is a NUL character at byte 2, so this is no text"},
      {"\xFF\xFE"
       "a",
       "the text ends in half a UTF-16 character"},
      {"\xEF\xBB\xBFok \xE9",
       "the byte order mark says UTF-8, but byte 6 does not belong to a UTF-8 character"},
  };
  for (const Row& row : rows) {
    const auto file = try_open("ps1", row.text);
    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::input);
    CHECK(file.error().message == row.message);
    CHECK_FALSE(file.error().hint.empty());
  }
}
