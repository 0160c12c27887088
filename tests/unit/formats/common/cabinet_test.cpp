// SPDX-License-Identifier: Apache-2.0
#include "formats/common/cabinet.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/cab_builder.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test
using signctl::formats::Cabinet;

namespace {

Result<std::unique_ptr<Cabinet>> try_open(Bytes bytes) {
  return Cabinet::open(std::make_shared<MemorySource>(std::move(bytes)));
}

Bytes content_of(Cabinet& cabinet, std::size_t index) {
  const auto source = must(cabinet.open_member(index));
  return must(read_bytes(*source, 0, source->size()));
}

Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7U ^ i >> 9U);
  }
  return bytes;
}

void poke_u16(Bytes& bytes, std::size_t offset, std::uint16_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value & 0xFFU);
  bytes[offset + 1] = static_cast<std::uint8_t>(value >> 8U);
}

void poke_u32(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  poke_u16(bytes, offset, static_cast<std::uint16_t>(value & 0xFFFFU));
  poke_u16(bytes, offset + 2, static_cast<std::uint16_t>(value >> 16U));
}

/// Whatever is done to them, members must unpack or fail with words.
void touch(Bytes bytes) {
  const auto cabinet = try_open(std::move(bytes));
  if (!cabinet) {
    CHECK_FALSE(cabinet.error().message.empty());
    return;
  }
  for (std::size_t i = 0; i < (*cabinet)->members().size(); ++i) {
    const auto member = (*cabinet)->open_member(i);
    CHECK((member || !member.error().message.empty()));
  }
}

}  // namespace

TEST_CASE("cabinet: stored files come out as they went in, across blocks and folders",
          "[formats][cabinet]") {
  CabSpec spec;
  spec.folders = 2;
  spec.files = {{"a.bin", numbered(100'000), 0},
                {"sub\\b.txt", {'x'}, 0},
                {"empty", {}, 0},
                {"c.bin", numbered(3'000'000), 1}};
  spec.reserve = Bytes(20);
  spec.data_reserve = 3;
  const auto cabinet = must(try_open(make_cab(spec)));

  REQUIRE(cabinet->members().size() == 4);
  CHECK(cabinet->members()[1].path == "sub/b.txt");
  CHECK(cabinet->members()[3].size == 3'000'000);
  CHECK(content_of(*cabinet, 3) == spec.files[3].bytes);
  CHECK(content_of(*cabinet, 1) == spec.files[1].bytes);
  CHECK(content_of(*cabinet, 0) == spec.files[0].bytes);
  CHECK(content_of(*cabinet, 2).empty());
}

TEST_CASE("cabinet: a member outlives the cabinet it came from", "[formats][cabinet]") {
  CabSpec spec;
  spec.files = {{"large.bin", numbered(2'000'000)}};
  auto cabinet = must(try_open(make_cab(spec)));
  const auto member = must(cabinet->open_member(0));
  cabinet.reset();

  CHECK(must(read_bytes(*member, 0, member->size())) == spec.files[0].bytes);
}

TEST_CASE("cabinet: LZX is unpacked", "[formats][cabinet]") {
  // One uncompressed LZX block ([MS-PATCH] 2.5): no E8 translation (0), type 3 (011), the size in
  // 24 bits, filled up to 16-bit words; then R0, R1, R2 and the bytes.
  const Bytes text = numbered(1000);
  Bytes packed;
  const std::uint32_t bits = (3U << 28U) | (static_cast<std::uint32_t>(text.size()) << 4U);
  put_le(packed, static_cast<std::uint16_t>(bits >> 16U));
  put_le(packed, static_cast<std::uint16_t>(bits & 0xFFFFU));
  for (int repeated = 0; repeated < 3; ++repeated) {
    put_le(packed, std::uint32_t{1});
  }
  packed.insert(packed.end(), text.begin(), text.end());
  CabSpec spec;
  spec.files = {{"lzx.bin", text}};
  spec.compression = 0x0F03;
  spec.blocks = {{packed, 1000}};
  const auto cabinet = must(try_open(make_cab(spec)));

  CHECK(content_of(*cabinet, 0) == text);
}

TEST_CASE("cabinet: MSZIP of another maker is unpacked", "[formats][cabinet]") {
  const std::string path =
      std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/cab/sample1.cab";
  if (!std::filesystem::exists(path)) {
    std::cerr << "SKIPPED: reading jsign's cabinets (" << path << " is not there)\n";
    return;
  }
  const auto cabinet = must(Cabinet::open(must(FileSource::open(path))));

  REQUIRE(cabinet->members().size() == 2);
  CHECK(cabinet->members()[1].path == "wineyes.exe");
  // The same file lies beside it.
  CHECK(content_of(*cabinet, 1) ==
        slurp(std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/wineyes.exe"));
}

TEST_CASE("cabinet: names are shown as they are and used for nothing", "[formats][cabinet]") {
  CabSpec spec;
  spec.files = {{"..\\..\\evil.exe", {1}},
                {"/etc/passwd", {2}},
                {"C:\\x.dll", {3}},
                {"gr\xFC\xDF.txt", {4}},
                {"gr\xC3\xBC.txt", {5}, 0, 0xA0}};
  const auto cabinet = must(try_open(make_cab(spec)));

  const auto& members = cabinet->members();
  CHECK(members[0].path == "../../evil.exe");
  CHECK(members[1].path == "/etc/passwd");
  CHECK(members[2].path == "C:/x.dll");
  CHECK(members[3].path == "gr\xC3\xBC\xC3\x9F.txt");
  CHECK(members[4].path == "gr\xC3\xBC.txt");
  CHECK(content_of(*cabinet, 0) == Bytes{1});
}

TEST_CASE("cabinet: lies are told from truths", "[formats][cabinet]") {
  CabSpec spec;
  spec.folders = 2;
  spec.files = {{"a", Bytes(100, 'a'), 0}, {"b", Bytes(100, 'b'), 1}};
  const Bytes good = make_cab(spec);
  REQUIRE(try_open(good));
  const std::uint32_t first_data = ByteReader(good).u32(36).value_or(0);

  struct Lie {
    const char* what;
    std::size_t offset;
    int width;
    std::uint32_t value;
    ErrorKind kind;
    const char* reason;
  };
  const auto lie = GENERATE_COPY(values<Lie>({
      {"size past the end", 8, 4, 100'000, ErrorKind::input, "but there are"},
      {"size below the header", 8, 4, 12, ErrorKind::input, "less than its header"},
      {"files before the folders", 16, 4, 40, ErrorKind::input, "file entries begin"},
      {"files past the end", 16, 4, 100'000, ErrorKind::input, "file entries begin"},
      {"version 2", 24, 2, 0x0203, ErrorKind::unsupported, "version 2.3"},
      {"many folders", 26, 2, 65535, ErrorKind::input, "folder entries reach past"},
      {"many files", 28, 2, 65535, ErrorKind::input, "file entry"},
      {"part of a set", 30, 2, 2, ErrorKind::input, "file entries begin"},
      {"second of a set", 34, 2, 1, ErrorKind::unsupported, "number 2 of a set"},
      {"a reserve that is not there", 30, 2, 4, ErrorKind::input, ""},
      {"data past the end", 36, 4, 100'000, ErrorKind::input, "past its end"},
      {"many blocks", 40, 2, 60'000, ErrorKind::input, "of folder 1"},
      {"unknown compression", 42, 2, 7, ErrorKind::unsupported, "compression 7"},
      {"folder 2 on folder 1", 44, 4, first_data, ErrorKind::input, "overlaps"},
      {"folder 1 on the headers", 36, 4, 20, ErrorKind::input, ""},
      {"a file larger than its folder", 52, 4, 101, ErrorKind::input, "claims the bytes 0 to 101"},
      {"a file behind its folder", 56, 4, 0xFFFFFFFF, ErrorKind::input, "claims the bytes"},
      {"a file in no folder", 60, 2, 2, ErrorKind::input, "is in folder 3 of 2"},
      {"a file from the cabinet before", 60, 2, 0xFFFD, ErrorKind::unsupported, "continues"},
  }));
  INFO(lie.what);
  Bytes bytes = good;
  if (lie.width == 2) {
    poke_u16(bytes, lie.offset, static_cast<std::uint16_t>(lie.value));
  } else {
    poke_u32(bytes, lie.offset, lie.value);
  }

  const auto cabinet = try_open(std::move(bytes));

  REQUIRE_FALSE(cabinet);
  INFO(cabinet.error().message);
  CHECK(cabinet.error().kind == lie.kind);
  CHECK(cabinet.error().message.find(lie.reason) != std::string::npos);
}

TEST_CASE("cabinet: data that do not unpack are an error of that member", "[formats][cabinet]") {
  CabSpec spec;
  spec.files = {{"a", Bytes(100)}};
  spec.blocks = {{{'C', 'K', 0xFF, 0xFF, 0xFF, 0xFF}, 100}};
  spec.compression = 1;
  const auto cabinet = must(try_open(make_cab(spec)));

  const auto member = cabinet->open_member(0);

  REQUIRE_FALSE(member);
  CHECK(member.error().kind == ErrorKind::input);
}

TEST_CASE("cabinet: entries that name the same data may, within reason", "[formats][cabinet]") {
  CabSpec spec;
  spec.files = {{"a", Bytes(30'000, 'a')}};
  CabFile same{"b", {}};
  same.offset = 0;
  same.size = 30'000;
  spec.files.push_back(same);
  const auto cabinet = must(try_open(make_cab(spec)));
  CHECK(content_of(*cabinet, 1) == spec.files[0].bytes);

  SECTION("but not for more than any installer holds") {
    // 30'000 entries of 30'000 blocks each: 29 TB from 1.4 MB.
    CabSpec bomb;
    bomb.compression = 1;
    bomb.blocks = std::vector<CabBlock>(30'000, CabBlock{{'C', 'K', 3, 0}, 32768});
    CabFile file{"x", {}};
    file.offset = 0;
    file.size = 30'000U * 32768U;
    bomb.files = std::vector<CabFile>(30'000, file);

    const auto refused = try_open(make_cab(bomb));

    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("more than is plausible") != std::string::npos);
  }
}

TEST_CASE("cabinet: every prefix and every changed byte is taken calmly", "[formats][cabinet]") {
  CabSpec spec;
  spec.files = {{"a", Bytes(50, 'a')}, {"b", Bytes(20, 'b')}};
  spec.reserve = Bytes(20);
  const Bytes good = make_cab(spec);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(try_open(cut));
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bytes = good;
    bytes[i] ^= 0xFFU;
    touch(std::move(bytes));
  }
}
