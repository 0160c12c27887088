// SPDX-License-Identifier: Apache-2.0
// The table of lies: everything that a script with a signature block can be and should not.
#include "formats/script/block.hpp"

#include "cms/authenticode.hpp"
#include "crypto/oids.hpp"
#include "formats/common/sip_info.hpp"
#include "script_test.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const std::string kText = "one\r\ntwo\r\n";
const std::string kBegin = "# SIG # Begin signature block\r\n";
const std::string kEnd = "# SIG # End signature block\r\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) {
    throw std::runtime_error("no " + from);
  }
  return text.replace(at, from.size(), to);
}

std::string with_bare_feeds(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
  return text;
}

void check_refused(const std::string& extension,
                   const std::string& text,
                   const std::string& message) {
  const auto file = try_open(extension, text);
  INFO(printable(text));
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::input);
  CHECK(file.error().message == message);
  CHECK_FALSE(file.error().hint.empty());
}

/// A source that claims to be long.
class LongSource final : public ByteSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return script::kLargestScript + 1; }
  Result<void> read_at(std::uint64_t /*offset*/, std::span<std::uint8_t> /*out*/) const override {
    return Error{ErrorKind::internal, "must not be read"};
  }
};

}  // namespace

TEST_CASE("script: several blocks and halves of blocks are refused", "[script]") {
  const std::string good = with_signature("ps1", kText);
  const std::string block = good.substr(kText.size() + 2);

  check_refused(
      "ps1", good + block, "there is more than one signature block: they begin at lines 4, 9");
  check_refused("ps1",
                kText + kBegin + block,
                "there is more than one signature block: they begin at lines 3, 4");
  check_refused(
      "ps1", good + kEnd, "there is more than one signature block: they end at lines 8, 9");
  check_refused("ps1", kText + kEnd, "a signature block ends at line 3 and has no begin");
  check_refused("ps1",
                kEnd + block.substr(0, block.size() - kEnd.size()),
                "a signature block ends at line 1 and has no begin");
  check_refused(
      "ps1", kText + kBegin + "# AAAA\r\n", "the signature block that begins at line 3 has no end");
}

TEST_CASE("script: lines in a block that are no signature are refused", "[script]") {
  const std::string good = with_signature("ps1", kText);
  const auto bad_line = [](int line) {
    return "line " + std::to_string(line) +
           ", inside the signature block, is not part of a signature";
  };

  check_refused("ps1", replaced(good, kEnd, "Remove-Item C:\\\r\n" + kEnd), bad_line(8));
  check_refused("ps1", replaced(good, kEnd, "\r\n" + kEnd), bad_line(8));
  check_refused("ps1", replaced(good, kEnd, "# \r\n" + kEnd), bad_line(8));
  check_refused("ps1", replaced(good, "# AAcO", "# AA O"), bad_line(5));
  check_refused("ps1", replaced(good, "# AAcO", "#AAcO"), bad_line(5));
  check_refused("ps1", replaced(good, "# AAcO", "# AAcO\r"), bad_line(5));
  check_refused(
      "ps1", kText + "\r\n" + kBegin + kEnd, "the signature block at line 4 is not base64");
  check_refused(
      "ps1", replaced(good, "# AAcO", "# =AcO"), "the signature block at line 4 is not base64");
  // Code after a comment that ends early.
  const std::string xml = with_signature("ps1xml", "<x/>");
  check_refused("ps1xml",
                replaced(xml, " -->\r\n<!-- SIG # End", " --><y/><!-- -->\r\n<!-- SIG # End"),
                bad_line(5));
}

TEST_CASE("script: whatever follows a block is reported, and never signed again", "[script]") {
  const std::string good = with_signature("ps1", kText);
  for (const std::string& more :
       {std::string("Remove-Item\r\n"), std::string(" "), std::string("\n")}) {
    const std::string text = good + more;

    CHECK(finding_ids("ps1", text) == Ids{"script-data-after-signature error"});
    CHECK(digest_hex_of(*open("ps1", text)) != digest_hex_of(*open("ps1", good)));
    const auto file = open("ps1", text);
    CHECK(file->content_to_sign(DigestAlg::sha256).error().kind == ErrorKind::input);
    CHECK_FALSE(file->embed(std::array{some_signature()}));
    CHECK_FALSE(file->strip());
  }
}

TEST_CASE("script: a block that is not as Windows writes it is reported", "[script]") {
  const std::string good = with_signature("ps1", kText);
  const Ids irregular{"script-block-form error"};

  // As git leaves it; it can be signed again, and what is removed is the block alone.
  const std::string bare = with_bare_feeds(good);
  CHECK(finding_ids("ps1", bare) == irregular);
  CHECK(without_signature("ps1", bare) == with_bare_feeds(kText));
  CHECK(finding_ids("ps1", with_signature("ps1", bare)).empty());

  CHECK(finding_ids("ps1", good.substr(0, good.size() - 2)) == irregular);
  CHECK(finding_ids("ps1", good.substr(kText.size() + 2)) == irregular);
  // Bits of the last character that mean nothing.
  const std::string one_byte = with_signature("ps1", kText, Bytes(1, 0));
  CHECK(finding_ids("ps1", one_byte).empty());
  check_refused(
      "ps1", replaced(one_byte, "AA==", "AB=="), "the signature block at line 4 is not base64");
  // Lines of other lengths, unless all are alike: Windows' script hosts write shorter ones.
  CHECK(finding_ids("ps1", replaced(good, "AAcO", "AAcO\r\n# ")) == irregular);
}

TEST_CASE("script: lines of another length are read", "[script]") {
  const std::string text =
      "x\r\n'' SIG '' Begin signature block\r\n'' SIG '' AAAA\r\n'' SIG '' AAA=\r\n"
      "'' SIG '' End signature block\r\n";

  CHECK(finding_ids("vbs", text).empty());
  CHECK(must(open("vbs", text)->signatures()).front().cms == Bytes(5, 0));
}

TEST_CASE("script: a WSF's block in another place is reported", "[script]") {
  const std::string block = "\r\n<signature>\r\n** SIG ** AAAA\r\n</signature>\r\n";

  CHECK(finding_ids("wsf", "<job>" + block + "</job>").empty());
  CHECK(finding_ids("wsf", "<job></job>" + block) == Ids{"script-block-place error"});
  CHECK(finding_ids("wsf", "<job>" + block + "</job><job></job>") ==
        Ids{"script-block-place error"});
  CHECK(finding_ids("wsf", "<x>" + block) == Ids{"script-block-place error"});
  // Signed again, it stands in its place.
  CHECK(with_signature("wsf", "<job></job>" + block, Bytes(3, 0)) == "<job>" + block + "</job>");
  CHECK(with_signature("wsf", "<job>" + block + "</job><job></job>", Bytes(3, 0)) ==
        "<job></job><job>" + block + "</job>");
}

TEST_CASE("script: a WSF without a job cannot be signed", "[script]") {
  const auto file = open("wsf", "<x/>");

  const auto content = file->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(content);
  CHECK(content.error().kind == ErrorKind::input);
  CHECK_FALSE(file->embed(std::array{some_signature()}));
  CHECK(must(file->signatures()).empty());
}

TEST_CASE("script: a marker that is not a line of its own is text", "[script]") {
  for (const std::string& text : {std::string("x # SIG # Begin signature block\r\n"),
                                  std::string("# SIG # Begin signature block \r\n"),
                                  std::string(" # SIG # End signature block\r\n"),
                                  std::string("# sig # begin signature block\r\n")}) {
    CHECK(must(open("ps1", text)->signatures()).empty());
    CHECK(without_signature("ps1", with_signature("ps1", text)) == text);
  }
}

TEST_CASE("script: every prefix of a signed script is refused or differs", "[script]") {
  for (const std::string extension : {"ps1", "wsf", "vbs"}) {
    const std::string good = with_signature(extension, sample(extension), some_signature(60));
    const std::string digest = digest_hex_of(*open(extension, good));
    for (const std::string& whole : {good, utf16(good, true)}) {
      for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(extension << " cut at " << size);
        const auto file = try_open(extension, whole.substr(0, size));
        if (!file) {
          CHECK(file.error().kind == ErrorKind::input);
          continue;
        }
        const auto signatures = must((*file)->signatures());
        const auto findings = must((*file)->container_findings());
        const auto cut = (*file)->file_digests(std::array{DigestAlg::sha256});
        // No signature any more, or one that a finding or the digest gives away.
        CHECK((signatures.empty() || !findings.empty() || !cut || to_hex(cut->front()) != digest));
      }
    }
  }
}

TEST_CASE("script: no byte of a signed script can change unnoticed", "[script]") {
  for (const script::Dialect& dialect : script::dialects()) {
    const std::string extension(dialect.extension);
    const std::string good = with_signature(extension, sample(extension), some_signature(50));
    const std::string digest = digest_hex_of(*open(extension, good));
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const unsigned mask : {0x01U, 0x20U, 0x80U, 0xFFU}) {
        std::string text = good;
        text[i] = static_cast<char>(static_cast<unsigned char>(text[i]) ^ mask);
        const auto file = try_open(extension, text);
        if (!file) {
          continue;
        }
        INFO(extension << " byte " << i << " mask " << mask);
        const auto signatures = must((*file)->signatures());
        const auto findings = must((*file)->container_findings());
        const bool reported = std::any_of(findings.begin(), findings.end(), [](const Finding& one) {
          return one.severity == Severity::error;
        });
        const auto now = (*file)->file_digests(std::array{DigestAlg::sha256});
        CHECK((signatures.empty() || signatures.front().cms != some_signature(50) || reported ||
               !now || to_hex(now->front()) != digest));
      }
    }
  }
}

TEST_CASE("script: what is too long to be held in memory is refused unread", "[script]") {
  const auto file =
      script::open_script(std::make_shared<LongSource>(), *script::find_dialect("ps1"));

  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::unsupported);
}

TEST_CASE("script: page hashes and two signatures side by side are refused", "[script]") {
  const auto file = open("ps1", kText);

  CHECK(file->hash_pages().error().kind == ErrorKind::unsupported);
  CHECK(file->embed(std::array{some_signature(), some_signature()}).error().kind ==
        ErrorKind::unsupported);
  CHECK(file->append_style() == AppendStyle::nested);
}

TEST_CASE("script: the signed content names the language", "[script]") {
  struct Row {
    const char* extension;
    const char* sip_info;
  };
  for (const Row& row :
       {Row{"psm1",
            "3026020301000004101fcc3b60594b084eb724d2c6297ef351020100020100020100020100020100"},
        Row{"mof",
            "3026020301000004101fcc3b60594b084eb724d2c6297ef351020100020100020100020100020100"},
        Row{"vbs", "302402010104104ef029169927b54d8fe5ace10f17ebab020100020100020100020100020100"},
        Row{"js", "3024020101041010e0c906ce38d411a2a300104bd35090020100020100020100020100020100"},
        Row{"wsf",
            "302402010104107005611ace38d411a2a300104bd35090020100020100020100020100020100"}}) {
    INFO(row.extension);
    const auto file = open(row.extension, sample(row.extension));
    const auto content = must(file->content_to_sign(DigestAlg::sha384));
    const auto data = must(cms::parse_indirect_data(content.econtent));

    CHECK(data.data_type == "1.3.6.1.4.1.311.2.1.30");
    CHECK(to_hex(data.data_value) == row.sip_info);
    CHECK(data.alg == DigestAlg::sha384);
    CHECK(to_hex(data.digest) == digest_hex_of(*file, DigestAlg::sha384));
    CHECK(must(file->check_content(content.econtent)).empty());
    const auto parsed = must(file->parse_content(content.econtent, DigestAlg::sha256));
    CHECK(parsed.file_digest == content.file_digest);
  }
}

TEST_CASE("script: content for another language is reported", "[script]") {
  const auto content = must(open("ps1", kText)->content_to_sign(DigestAlg::sha256));
  const auto found = must(open("js", kText)->check_content(content.econtent));
  REQUIRE(found.size() == 1);
  CHECK(found.front().id == "script-data-type");

  cms::IndirectData data = must(cms::parse_indirect_data(content.econtent));
  data.data_type = oid::kSpcPeImageData;
  CHECK(must(open("ps1", kText)->check_content(cms::encode_indirect_data(data))).size() == 1);
  data.data_type = sip::kSpcSipInfo;
  data.data_value = {0x30, 0x00};
  CHECK(must(open("ps1", kText)->check_content(cms::encode_indirect_data(data))).size() == 1);
}
