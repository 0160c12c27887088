// SPDX-License-Identifier: Apache-2.0
#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/cab/signable.hpp"
#include "formats/common/cabinet.hpp"
#include "support/cab_builder.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/pe_builder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

using Ids = std::vector<std::string>;

Result<std::unique_ptr<Signable>> try_open(Bytes bytes) {
  return cab::open_cabinet(std::make_shared<MemorySource>(std::move(bytes)));
}

std::unique_ptr<Signable> open(Bytes bytes) {
  return must(try_open(std::move(bytes)));
}

Bytes digest_of(Signable& file, DigestAlg alg = DigestAlg::sha256) {
  const std::array algs{alg};
  return must(file.file_digests(algs)).front();
}

Bytes embedded(const Bytes& cabinet, std::size_t signature_size = 101) {
  const std::array signatures{fake_signature(signature_size)};
  return apply_patches(cabinet, must(open(cabinet)->embed(signatures)));
}

Bytes stripped(const Bytes& cabinet) {
  return apply_patches(cabinet, must(open(cabinet)->strip()));
}

Ids finding_ids(const Bytes& cabinet) {
  Ids ids;
  for (const Finding& finding : must(open(cabinet)->container_findings())) {
    ids.push_back(finding.id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Names and bytes of everything inside; nothing when it does not unpack.
std::optional<std::vector<std::pair<std::string, Bytes>>> unpacked(const Bytes& cabinet) {
  auto opened = formats::Cabinet::open(std::make_shared<MemorySource>(cabinet));
  if (!opened) {
    return std::nullopt;
  }
  std::vector<std::pair<std::string, Bytes>> files;
  for (std::size_t i = 0; i < (*opened)->members().size(); ++i) {
    const auto member = (*opened)->open_member(i);
    if (!member) {
      return std::nullopt;
    }
    files.emplace_back((*opened)->members()[i].path,
                       must(read_bytes(**member, 0, (*member)->size())));
  }
  return files;
}

/// Offsets before the folders that are not hashed.
std::vector<std::size_t> uncovered_in_header(Signable& file) {
  std::vector<std::size_t> offsets;
  std::uint64_t at = 0;
  for (const HashedRange& range : must(file.hashed_ranges())) {
    for (; at < range.begin; ++at) {
      offsets.push_back(static_cast<std::size_t>(at));
    }
    at = range.end;
  }
  return offsets;
}

/// A cabinet for each kind of reserved area.
std::vector<std::pair<std::string, CabSpec>> variants() {
  std::vector<std::pair<std::string, CabSpec>> all;
  CabSpec spec;
  spec.files = {{"a.bin", Bytes(40'000, 'a'), 0}, {"b.bin", Bytes(10, 'b'), 1}};
  spec.folders = 2;
  all.emplace_back("none", spec);
  spec.folder_reserve = 128;
  spec.data_reserve = 5;
  all.emplace_back("folders and blocks only", spec);
  spec.folder_reserve = 0;
  spec.data_reserve = 0;
  spec.reserve = Bytes(20);
  all.emplace_back("twenty bytes", spec);
  spec.reserve = Bytes(6144);
  all.emplace_back("plenty", spec);
  spec.reserve = Bytes(8);
  all.emplace_back("too little", spec);
  spec.reserve = Bytes{3, 0, 0, 0, 'a', 'b', 'c'};
  all.emplace_back("a first structure", spec);
  spec.files = {};
  spec.folders = 0;
  spec.reserve = std::nullopt;
  all.emplace_back("nothing at all", spec);
  return all;
}

}  // namespace

TEST_CASE("cab digest: that of the jsign samples by the rule of its author", "[formats][cab]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/cab/";
  if (!std::filesystem::exists(folder)) {
    std::cerr << "SKIPPED: jsign's cabinets (" << folder << " is not there)\n";
    return;
  }
  const auto [name, sha256] = GENERATE(table<std::string, std::string>({
      {"sample1.cab", "420288a8f921841630dcf81f5d73b073548c44c4852904205ebb2809ff89ca5b"},
      {"sample3.cab", "ceefbe58b0fa8920bca46067f7219cc2c7002268fd7d0315d5e9e6813e77cbbf"},
      {"sample4.cab", "666d4b6ef633c4dada7f1471319fe2347bb149ee6a79d69b7c4f25eb7300f3b9"},
  }));
  INFO(name);
  const Bytes bytes = slurp(folder + name);

  CHECK(to_hex(digest_of(*open(bytes))) == sha256);
  const Bytes signed_bytes = embedded(bytes);
  CHECK(to_hex(digest_of(*open(signed_bytes))) == sha256);
  // jsign's first three have no area or none of its own; the fourth has 6144 bytes of zeros.
  CHECK(stripped(signed_bytes) == bytes);
}

TEST_CASE("cab: a part of a set is refused as unsupported", "[formats][cab]") {
  CabSpec spec;
  spec.more_flags = 2;
  spec.names = std::string("disk2.cab\0Disk 2\0", 17);
  const auto first = try_open(make_cab(spec));
  REQUIRE_FALSE(first);
  CHECK(first.error().kind == ErrorKind::unsupported);
  CHECK(first.error().message.find("set of several cabinets") != std::string::npos);
}

TEST_CASE("cab: signing grows the header, and the digest is that of the grown one",
          "[formats][cab]") {
  for (const auto& [name, spec] : variants()) {
    INFO(name);
    const Bytes plain = make_cab(spec);
    const Bytes before = digest_of(*open(plain));

    const Bytes made = embedded(plain);

    const auto reopened = open(made);
    CHECK(digest_of(*reopened) == before);
    CHECK(digest_of(*reopened) == plain_cab_digest(made, DigestAlg::sha256));
    CHECK(digest_of(*reopened, DigestAlg::sha512) == plain_cab_digest(made, DigestAlg::sha512));
    const auto signatures = must(reopened->signatures());
    REQUIRE(signatures.size() == 1);
    CHECK(signatures.front().cms == fake_signature(101));
    CHECK(signatures.front().offset + signatures.front().size == made.size());
    CHECK(finding_ids(made).empty());
  }
}

TEST_CASE("cab: every file in it is the same after signing", "[formats][cab]") {
  for (const auto& [name, spec] : variants()) {
    INFO(name);
    const Bytes plain = make_cab(spec);
    const auto before = open(plain);
    const auto after = open(embedded(plain));
    const auto members = must(before->members());
    REQUIRE(must(after->members()).size() == members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto expected = must(before->open_member(i));
      const auto got = must(after->open_member(i));
      CHECK(must(read_bytes(*got, 0, got->size())) ==
            must(read_bytes(*expected, 0, expected->size())));
    }
  }
}

TEST_CASE("cab: the hashed ranges of a signed cabinet are what is hashed", "[formats][cab]") {
  for (const auto& [name, spec] : variants()) {
    INFO(name);
    const Bytes made = embedded(make_cab(spec));
    const auto file = open(made);
    Bytes covered;
    for (const HashedRange& range : must(file->hashed_ranges())) {
      covered.insert(covered.end(),
                     made.begin() + static_cast<std::ptrdiff_t>(range.begin),
                     made.begin() + static_cast<std::ptrdiff_t>(range.end));
    }
    CHECK(crypto::hash(DigestAlg::sha256, covered) == digest_of(*file));
  }
}

TEST_CASE("cab: signing over a signature gives what signing the original gives", "[formats][cab]") {
  for (const auto& [name, spec] : variants()) {
    INFO(name);
    const Bytes plain = make_cab(spec);
    CHECK(embedded(embedded(plain, 3000)) == embedded(plain));
  }
}

TEST_CASE("cab: removal gives the original bytes, but for an area made in advance",
          "[formats][cab]") {
  for (const auto& [name, spec] : variants()) {
    INFO(name);
    const Bytes plain = make_cab(spec);
    const Bytes back = stripped(embedded(plain));
    if (name == "twenty bytes") {
      CabSpec without = spec;
      without.reserve = std::nullopt;
      CHECK(back == make_cab(without));
    } else if (name == "too little" || name == "a first structure") {
      // The area was made larger; how small it was is not written anywhere.
      CHECK(digest_of(*open(back)) == digest_of(*open(plain)));
    } else {
      CHECK(back == plain);
    }
    CHECK(must(open(back)->signatures()).empty());
    CHECK(stripped(back) == back);
  }
}

TEST_CASE("cab: content is that of a cabinet and of nothing else", "[formats][cab]") {
  const auto file = open(make_cab());
  const SigningContent content = must(file->content_to_sign(DigestAlg::sha384));

  CHECK(content.content_type == "1.3.6.1.4.1.311.2.1.4");
  const SigningContent parsed = must(file->parse_content(content.econtent, DigestAlg::sha256));
  CHECK(parsed.alg == DigestAlg::sha384);
  CHECK(parsed.file_digest == digest_of(*file, DigestAlg::sha384));
  CHECK(must(file->check_content(content.econtent)).empty());
  Bytes other = content.econtent;
  const Bytes cabinet{0x82, 0x37, 0x02, 0x01, 0x19};  // ... 311.2.1.25
  const auto type = std::search(other.begin(), other.end(), cabinet.begin(), cabinet.end());
  REQUIRE(type != other.end());
  type[4] = 0x0F;  // PE image
  CHECK(must(file->check_content(other)).front().id == "cab-data-type");

  const auto pages = file->hash_pages();
  REQUIRE_FALSE(pages);
  CHECK(pages.error().kind == ErrorKind::unsupported);
}

TEST_CASE("cab: what no signature covers is found", "[formats][cab]") {
  CabSpec spec;
  spec.reserve = Bytes(64);
  const Bytes good = embedded(make_cab(spec), 101);
  REQUIRE(finding_ids(good).empty());
  const std::uint32_t signature = ByteReader(good).u32(44).value_or(0);

  Bytes bytes = good;
  SECTION("CAB-1: data in the filler of the signature's place") {
    bytes[40 + 15] = 1;
    CHECK(finding_ids(bytes) == Ids{"cab-reserve-data"});
  }
  SECTION("CAB-1: data in the rest of the reserved area") {
    bytes[40 + 63] = 1;
    CHECK(finding_ids(bytes) == Ids{"cab-reserve-data"});
  }
  SECTION("CAB-2: bytes behind the signature") {
    bytes.push_back(0);
    CHECK(finding_ids(bytes) == Ids{"cab-data-after-signature"});
  }
  SECTION("CAB-2: bytes between the cabinet and the signature") {
    bytes.insert(bytes.begin() + signature, 8, 0);
    bytes[44] = static_cast<std::uint8_t>(bytes[44] + 8);
    CHECK(finding_ids(bytes) == Ids{"cab-signature-offset"});
  }
  SECTION("CAB-3: another cabinet in front of the signature") {
    const Bytes hidden = make_cab();
    bytes.insert(bytes.begin() + signature, hidden.begin(), hidden.end());
    poke_u32(bytes, 44, signature + static_cast<std::uint32_t>(hidden.size()));
    CHECK(finding_ids(bytes) == Ids{"cab-signature-offset"});
  }
  SECTION("padding with data in it") {
    bytes.back() = 1;
    CHECK(finding_ids(bytes) == Ids{"cab-padding-not-zero"});
  }
  SECTION("much padding") {
    bytes.resize(bytes.size() + 8);
    bytes[48] = static_cast<std::uint8_t>(bytes[48] + 8);
    CHECK(finding_ids(bytes) == Ids{"cab-padding-too-long"});
  }
  SECTION("a value in reserved1") {
    bytes[5] = 1;
    CHECK(finding_ids(bytes) == Ids{"cab-header-checksum"});
  }
  SECTION("sizes in the reserved area that do not fit") {
    bytes[40] = 60;
    CHECK(finding_ids(bytes) == Ids{"cab-data-after-cabinet", "cab-reserve-malformed"});
    CHECK(must(open(bytes)->signatures()).empty());
  }
}

TEST_CASE("cab: folders that overlap are found, and not signed", "[formats][cab]") {
  CabSpec spec;
  spec.folders = 2;
  spec.files = {{"a", Bytes(100, 'a'), 0}, {"b", Bytes(100, 'b'), 1}};
  Bytes bytes = make_cab(spec);
  poke_u32(bytes, 44, ByteReader(bytes).u32(36).value_or(0));

  CHECK(finding_ids(bytes) == Ids{"cab-folders-overlap"});
  CHECK_FALSE(open(bytes)->content_to_sign(DigestAlg::sha256));
  Bytes many = make_cab(spec);
  many[40] = 0xFF;
  CHECK(finding_ids(many) == Ids{"cab-malformed"});
  CHECK_FALSE(open(many)->content_to_sign(DigestAlg::sha256));
}

TEST_CASE("cab: parts that do not follow each other are found, and not signed", "[formats][cab]") {
  CabSpec spec;
  spec.folders = 2;
  spec.files = {{"a", Bytes(100, 'a'), 0}, {"b", Bytes(100, 'b'), 1}};
  const Bytes good = make_cab(spec);
  REQUIRE(finding_ids(good).empty());
  const std::uint32_t files = ByteReader(good).u32(16).value_or(0);
  const std::uint32_t first = ByteReader(good).u32(36).value_or(0);
  const std::uint32_t second = ByteReader(good).u32(44).value_or(0);
  // A byte more in the file from `at` on, with the offsets that lie behind it moved or not.
  const auto with_gap = [&](std::uint32_t at) {
    Bytes bytes = good;
    bytes.insert(bytes.begin() + at, 0);
    poke_u32(bytes, 8, static_cast<std::uint32_t>(bytes.size()));
    poke_u32(bytes, 16, files + (files >= at ? 1 : 0));
    poke_u32(bytes, 36, first + (first >= at ? 1 : 0));
    poke_u32(bytes, 44, second + (second >= at ? 1 : 0));
    return bytes;
  };
  Bytes bytes;
  SECTION("before the file entries") {
    bytes = with_gap(files);
  }
  SECTION("before the first folder") {
    bytes = with_gap(first);
  }
  SECTION("between folders") {
    bytes = with_gap(second);
  }
  SECTION("at the end") {
    bytes = with_gap(static_cast<std::uint32_t>(good.size()));
  }
  SECTION("folders that are not in the order of their data") {
    bytes = good;
    poke_u32(bytes, 36, second);
    poke_u32(bytes, 44, first);
  }
  CHECK(finding_ids(bytes) == Ids{"cab-gap"});
  CHECK_FALSE(open(bytes)->content_to_sign(DigestAlg::sha256));
}

TEST_CASE("cab: files of folders that are not there are found, and not signed", "[formats][cab]") {
  Bytes bytes = make_cab();
  bytes[26] = 0;
  CHECK(finding_ids(bytes) == Ids{"cab-malformed"});
  CHECK_FALSE(open(bytes)->content_to_sign(DigestAlg::sha256));
}

TEST_CASE("cab: a reserved area in use is not signed over", "[formats][cab]") {
  CabSpec spec;
  spec.reserve = Bytes(64, 0xAA);
  const auto refused = open(make_cab(spec))->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);
  Bytes trailing = make_cab();
  trailing.push_back(0);
  CHECK_FALSE(open(trailing)->content_to_sign(DigestAlg::sha256));
  CHECK_FALSE(open(trailing)->strip());
}

TEST_CASE("cab: a signature that is not in the file is an error", "[formats][cab]") {
  const Bytes good = embedded(make_cab());
  Bytes bytes = good;
  SECTION("offset") {
    poke_u32(bytes, 44, 0x7FFFFFFF);
  }
  SECTION("size") {
    poke_u32(bytes, 48, 0xFFFFFFF0);
  }
  SECTION("no DER") {
    bytes[ByteReader(good).u32(44).value_or(0)] = 0x04;
  }
  SECTION("cut DER") {
    poke_u32(bytes, 48, 50);
  }
  const auto signatures = open(bytes)->signatures();
  REQUIRE_FALSE(signatures);
  CHECK(signatures.error().kind == ErrorKind::input);
}

TEST_CASE("cab: two signatures side by side are refused", "[formats][cab]") {
  const std::array two{fake_signature(50), fake_signature(60)};
  const auto patches = open(make_cab())->embed(two);
  REQUIRE_FALSE(patches);
  CHECK(patches.error().kind == ErrorKind::unsupported);
}

TEST_CASE("cab: every prefix of a signed cabinet is refused or has findings", "[formats][cab]") {
  const Bytes good = embedded(make_cab(), 60);
  for (std::size_t size = 0; size < good.size(); ++size) {
    INFO(size);
    const auto file =
        try_open(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK((!file || !(*file)->signatures()));
  }
}

TEST_CASE("cab: a changed byte changes the digest, the findings or nothing that is read",
          "[formats][cab]") {
  CabSpec spec;
  spec.files = {{"a.txt", Bytes(30, 'a')}};
  const Bytes good = embedded(make_cab(spec), 60);
  const Bytes digest = digest_of(*open(good));
  const std::uint32_t end = ByteReader(good).u32(8).value_or(0);
  for (std::size_t i = 0; i < end; ++i) {
    INFO("byte " << i);
    Bytes bytes = good;
    bytes[i] ^= 0x55U;
    const auto file = try_open(bytes);
    if (!file || !(*file)->signatures() || must((*file)->signatures()).empty()) {
      continue;
    }
    const auto findings = (*file)->container_findings();
    CHECK((!findings || !findings->empty() || digest_of(**file) != digest));
  }
}

TEST_CASE("cab: no value of a byte that is not hashed changes what a good cabinet unpacks to",
          "[formats][cab]") {
  auto all = variants();
  CabSpec one_block;
  one_block.files = {{"a.bin", Bytes(600, 'a')}};
  one_block.data_reserve = 64;
  one_block.reserve = Bytes(20);
  all.emplace_back("one block with a reserved area", one_block);
  std::vector<std::pair<std::string, Bytes>> cabinets;
  for (const auto& [name, spec] : all) {
    cabinets.emplace_back(name, embedded(make_cab(spec), 60));
  }
  for (const char* name : {"sample1.cab", "sample3.cab", "sample4.cab"}) {
    const std::string path =
        std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/cab/" + name;
    if (std::filesystem::exists(path)) {
      cabinets.emplace_back(name, embedded(slurp(path), 60));
    }
  }
  for (const auto& [name, good] : cabinets) {
    const auto files = unpacked(good);
    REQUIRE(files);
    const Bytes digest = digest_of(*open(good));
    for (const std::size_t offset : uncovered_in_header(*open(good))) {
      for (unsigned flip = 1; flip <= 0xFF; flip += offset < 60 ? 1 : 0x33) {
        Bytes bytes = good;
        bytes[offset] ^= static_cast<std::uint8_t>(flip);
        const auto file = try_open(bytes);
        const auto findings =
            file ? (*file)->container_findings() : Result<std::vector<Finding>>(file.error());
        if (!findings || !findings->empty() || digest_of(**file) != digest) {
          continue;
        }
        const auto now = unpacked(bytes);
        INFO(name << ": byte " << offset << " changed by " << flip);
        CHECK((!now || *now == *files));
      }
    }
  }
}
