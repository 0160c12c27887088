// SPDX-License-Identifier: Apache-2.0
#include "cfb_builder.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

using Ids = std::vector<std::string>;

const std::string kShared = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/";

bool have(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return true;
  }
  std::cerr << "SKIPPED: " << path << " (it is not there)\n";
  return false;
}

/// Everything that can be asked of a file; whether it went well does not matter.
bool ask_all(const Bytes& bytes) {
  const auto opened = try_open(bytes);
  if (!opened) {
    CHECK_FALSE(opened.error().message.empty());
    return false;
  }
  Signable& file = **opened;
  const std::array algs{DigestAlg::sha256};
  const bool hashed = file.file_digests(algs).has_value();
  static_cast<void>(file.signatures());
  static_cast<void>(file.container_findings());
  static_cast<void>(file.hashed_ranges());
  static_cast<void>(file.members());
  static_cast<void>(file.strip());
  static_cast<void>(file.content_to_sign(DigestAlg::sha256));
  return hashed;
}

std::uint32_t directory_at(const Bytes& file) {
  return (peek_u32(file, 0x30) + 1) * 512;
}
std::uint32_t fat_at(const Bytes& file, std::uint32_t sector) {
  return (peek_u32(file, 0x4C) + 1) * 512 + 4 * sector;
}

}  // namespace

TEST_CASE("msi: pre-hash and digests are those of third parties", "[formats][msi]") {
  for (const char* name : {"minimal.msi", "minimal-signed-with-signtool.msi"}) {
    if (!have(kShared + name)) {
      continue;
    }
    INFO(name);
    const auto source = std::make_shared<MemorySource>(slurp(kShared + name));
    const auto file = must(msi::CompoundFile::open(source));
    const auto digest = [&file](DigestAlg alg, const Bytes& prefix) {
      const std::array requests{msi::DigestRequest{alg, prefix}};
      return to_hex(must(msi::content_digests(file, requests)).front());
    };
    const Bytes pre1 = msi::prehash(*file, DigestAlg::sha1);
    const Bytes pre256 = msi::prehash(*file, DigestAlg::sha256);

    CHECK(to_hex(pre1) == "0a9dd48f46133e8b5d055f5b7ae5e1b652c1f67f");
    CHECK(digest(DigestAlg::sha1, {}) == "224e5ef42eef9d69b14482e32c77e4c71a631008");
    CHECK(digest(DigestAlg::sha1, pre1) == "f38258e497510ffaa00a55c46751fdafbdea13fb");
    CHECK(to_hex(pre256) == "76eabeb3986bc31a171e13d66b8d3ba2133738f8bc7cf86166f8ab4253b71c02");
    CHECK(digest(DigestAlg::sha256, {}) ==
          "3cc82244a46385790f41de5097cc1cb3b8095a8d30f411a46089967310c745eb");
    CHECK(digest(DigestAlg::sha256, pre256) ==
          "081ab795d587e05ee1ab3b07eda7e99f931fb4c0a6f001e405b12649626b8118");
  }
}

TEST_CASE("msi: a file that signtool signed is read as signtool meant it", "[formats][msi]") {
  const std::string path = kShared + "minimal-signed-with-signtool.msi";
  if (!have(path)) {
    return;
  }
  const Bytes bytes = slurp(path);
  const auto file = open(bytes);

  CHECK(must(file->signatures()).at(0).cms.size() == 2020);
  CHECK(ids_of(bytes) == Ids{});
  // Off again, it hashes like the file before; signtool had touched a time that is not signed.
  const auto stripped = open(patched(bytes, must(file->strip())));
  CHECK(must(stripped->signatures()).empty());
  const std::array algs{DigestAlg::sha256};
  CHECK(to_hex(must(stripped->file_digests(algs)).front()) ==
        "3cc82244a46385790f41de5097cc1cb3b8095a8d30f411a46089967310c745eb");
}

TEST_CASE("msi: inputs that once made a parser run away end soon", "[formats][msi]") {
  if (!have(kShared + "fuzz-seeds")) {
    return;
  }
  std::size_t tried = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kShared + "fuzz-seeds")) {
    if (entry.path().filename().string().find("MsiSigner") == std::string::npos) {
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    ask_all(slurp(entry.path().string()));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
    ++tried;
  }
  CHECK(tried > 5);
}

TEST_CASE("msi: no prefix of a file is taken for the file", "[formats][msi]") {
  for (const unsigned version : {3U, 4U}) {
    CfbSpec spec;
    spec.version = version;
    const Bytes whole = make_cfb(spec);
    const std::size_t sector = version == 3 ? 512 : 4096;
    const std::size_t entries = whole.size() / sector - 1;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const bool fine =
          ask_all(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      // The FAT comes last: of it only the entries of others than itself must be there.
      if (fine && size < whole.size() - sector + 4 * (entries - 1)) {
        // Zero is no end of a chain, so a FAT that is cut short must not read as if it were whole.
        FAIL("a prefix of " << size << " bytes of " << whole.size() << " was accepted");
      }
    }
  }
}

TEST_CASE("msi: lies of the header, the FAT and the directory are refused", "[formats][msi]") {
  const Bytes good = make_cfb();
  REQUIRE(ask_all(good));
  const std::uint32_t directory = directory_at(good);
  // Entries by length of name: 1 "!Large", 2 "!Small".
  const std::uint32_t large = directory + 128;
  const std::uint32_t small = directory + 256;
  const std::uint32_t start = peek_u32(good, large + 0x74);
  struct Lie {
    const char* what;
    std::size_t at;
    std::uint32_t value;
  };
  const std::vector<Lie> lies{
      {"a version that does not exist", 0x18, 0x0005003E},
      {"version 4 with sectors of 512", 0x18, 0x0004003E},
      {"other mini sectors", 0x20, 7},
      {"another cutoff", 0x38, 8192},
      {"more FAT sectors than sectors", 0x2C, 0x7FFFFFFF},
      {"a DIFAT that is missing", 0x2C, 110},
      {"FAT past the end", 0x4C, 5000},
      {"directory past the end", 0x30, 5000},
      {"directory in the FAT", 0x30, peek_u32(good, 0x4C)},
      {"directory that loops", fat_at(good, peek_u32(good, 0x30)), peek_u32(good, 0x30)},
      {"MiniFAT past the end", 0x3C, 5000},
      {"stream past the end", large + 0x74, 5000},
      {"stream in the directory", large + 0x74, peek_u32(good, 0x30)},
      {"stream larger than its chain", large + 0x78, 50'000},
      {"stream larger than the file", large + 0x78, 0x7FFFFFFF},
      {"stream that loops", fat_at(good, start + 1), start},
      {"chain into nothing", fat_at(good, start + 1), 0x00FFFFFF},
      {"mini stream past the end", small + 0x74, 5000},
      {"mini stream larger than its chain", small + 0x78, 4000},
      {"sibling that is itself", large + 0x48, 1},
      {"sibling that is not there", large + 0x48, 77},
      {"child that is the root", directory + 0x4C, 0},
      {"no root", directory + 0x42, 0x00000102},
      {"a type that does not exist", large + 0x42, 0x00000103},
      {"a name of odd length", large + 0x40, 0x0102000F},
      {"a name without end", large + 0x40, 0x01020044},
      {"not Windows Installer's", directory + 0x50, 0x000C1099},
  };
  for (const Lie& lie : lies) {
    Bytes bytes = good;
    poke_u32(bytes, lie.at, lie.value);
    const auto opened = try_open(bytes);
    INFO(lie.what);
    CHECK_FALSE(opened);
  }
}

TEST_CASE("msi: what no signature covers is reported", "[formats][msi]") {
  CfbSpec spec;
  spec.streams.emplace_back(std::u16string(msi::kSignatureName), Bytes(100, 0x30));
  const Bytes good = make_cfb(spec);
  Bytes appended = good;
  appended.resize(appended.size() + 700, 0x4A);
  CfbSpec with_holes = spec;
  with_holes.holes = 2;
  Bytes v4_count = make_cfb({4, spec.streams});
  poke_u32(v4_count, 0x28, 9);

  CHECK(ids_of(good) == Ids{"msi-no-prehash warning"});
  CHECK(ids_of(appended) == Ids{"msi-data-after-end error", "msi-no-prehash warning"});
  CHECK(ids_of(make_cfb(with_holes)) ==
        Ids{"msi-no-prehash warning", "msi-unreferenced-data error"});
  CHECK(ids_of(v4_count) == Ids{"msi-directory-size error", "msi-no-prehash warning"});
  spec.streams.emplace_back(std::u16string(msi::kPrehashName), Bytes(32, 0));
  CHECK(ids_of(make_cfb(spec)) == Ids{"msi-prehash error"});
  const auto refused = open(appended)->strip();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);
}

TEST_CASE("msi: a name that only begins like a signature's is content", "[formats][msi]") {
  CfbSpec spec;
  const Bytes before = make_cfb(spec);
  spec.streams.emplace_back(
      u"\x05"
      u"Digital",
      Bytes(100, 0x30));
  spec.streams.emplace_back(
      u"\x05"
      u"DigitalSignatureX",
      Bytes(100, 0x30));
  const std::array algs{DigestAlg::sha256};

  const auto file = open(make_cfb(spec));

  CHECK(must(file->signatures()).empty());
  CHECK(must(file->file_digests(algs)) != must(open(before)->file_digests(algs)));
}

TEST_CASE("msi: names are shown as Windows Installer means them", "[formats][msi]") {
  CHECK(msi::decode_name(u"\x4840\x3F7F\x4164\x422F\x4836") == "!_Tables");
  CHECK(msi::decode_name(u"\x4573\x41F2\x41B8\x47B7\x4126\x4825") == "product.cab");
  CHECK(msi::decode_name(msi::kSignatureName) == "\\x05DigitalSignature");
  CHECK(msi::decode_name(u"a/b\\c") == "a_b_c");
  CHECK(msi::decode_name(u"\xD83D\xDE00\xD800") == "\xF0\x9F\x98\x80\xEF\xBF\xBD");
}

TEST_CASE("msi: programs and cabinets inside are members", "[formats][msi]") {
  CfbSpec spec;
  Bytes cabinet{'M', 'S', 'C', 'F'};
  cabinet.resize(5000, 1);
  Bytes program(600, 0);
  program[0] = 'M';
  program[1] = 'Z';
  program[0x3C] = 0x80;
  program[0x80] = 'P';
  program[0x81] = 'E';
  spec.streams = {{u"a.cab", cabinet}, {u"Binary.CA", program}, {u"x", Bytes(50, 'M')}};
  const auto file = open(make_cfb(spec));

  const auto members = must(file->members());

  REQUIRE(members.size() == 2);
  CHECK(members[0].path == "Binary.CA");
  CHECK(members[0].size == 600);
  CHECK(members[1].path == "a.cab");
  const auto source = must(file->open_member(1));
  Bytes bytes(5000);
  must(source->read_at(0, bytes));
  CHECK(bytes == cabinet);
}

TEST_CASE("msi: installers and archives in streams are members, documents are not",
          "[formats][msi]") {
  Bytes archive{'P', 'K', 3, 4};
  archive.resize(100, 1);
  CfbSpec document;
  document.package_class = 0x06;
  CfbSpec spec;
  spec.streams = {{u"Binary.a", make_cfb()},
                  {u"Binary.b", archive},
                  {u"Binary.c", make_cfb({4, document.streams})},
                  {u"Binary.d", make_cfb(document)}};

  std::vector<std::string> paths;
  for (const Member& member : must(open(make_cfb(spec))->members())) {
    paths.push_back(member.path);
  }

  CHECK(paths == std::vector<std::string>{"Binary.a", "Binary.b", "Binary.c"});
}

TEST_CASE("msi: sniffing takes what has the magic number and a version", "[formats][msi]") {
  const Bytes file = make_cfb();
  std::vector<const Format*> yes;
  for (const Format* format : builtin_formats()) {
    if (format->sniff({ByteView(file).first(512), ByteView(file).last(512), "dat"}) == Sniff::yes) {
      yes.push_back(format);
    }
  }
  REQUIRE(yes.size() == 1);
  CHECK(yes.front()->name() == "msi");
}
