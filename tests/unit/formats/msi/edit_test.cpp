// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/edit.hpp"

#include "cfb_builder.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

using Ids = std::vector<std::string>;

std::shared_ptr<const msi::CompoundFile> parse(const Bytes& bytes) {
  return must(msi::CompoundFile::open(std::make_shared<MemorySource>(bytes)));
}

Bytes stream(const Bytes& file, std::u16string_view name) {
  const auto parsed = parse(file);
  const auto entry = parsed->find_in_root(name);
  REQUIRE(entry);
  return must(parsed->read_all(*entry, 1U << 24U));
}

Bytes put(const Bytes& file, std::size_t size, std::uint8_t fill = 0x5A) {
  msi::SignatureStreams streams;
  streams.prehash = msi::prehash(*parse(file), DigestAlg::sha256);
  streams.signature = Bytes(size, fill);
  return patched(file, must(msi::edit_signatures(*parse(file), streams)));
}

Bytes take_off(const Bytes& file) {
  return patched(file, must(msi::edit_signatures(*parse(file), {})));
}

std::vector<CfbSpec> shapes() {
  std::vector<CfbSpec> all;
  for (const unsigned version : {3U, 4U}) {
    CfbSpec plain;
    plain.version = version;
    CfbSpec only_large = plain;  // no mini stream at all
    only_large.streams = {{u"Large", Bytes(9000, 0x33)}};
    CfbSpec full_directory = plain;  // root and streams fill their sectors exactly
    full_directory.streams.clear();
    for (char16_t c = u'A'; c < (version == 3 ? u'D' : u'A' + 31); ++c) {
      full_directory.streams.emplace_back(std::u16string(1, c), Bytes(64, 1));
    }
    CfbSpec edge = plain;  // the FAT is full up to its last entry or nearly
    edge.streams = {{u"Large", Bytes(version == 3 ? 120 * 512 : 1019 * 4096, 0x44)}};
    all.insert(all.end(), {plain, only_large, full_directory, edge});
  }
  return all;
}

Bytes digest(const Bytes& file) {
  return must(msi::content_digests(parse(file), std::array{msi::DigestRequest{}})).front();
}

}  // namespace

TEST_CASE("msi edit: what was put in is read back, and nothing else has changed",
          "[formats][msi]") {
  for (const CfbSpec& spec : shapes()) {
    const Bytes file = make_cfb(spec);
    for (const std::size_t size : {1U, 64U, 2000U, 4095U, 4096U, 4097U, 100'000U}) {
      INFO("version " << spec.version << ", " << spec.streams.size() << " streams, " << size);
      const Bytes result = put(file, size);

      CHECK(stream(result, msi::kSignatureName) == Bytes(size, 0x5A));
      CHECK(stream(result, msi::kPrehashName) == msi::prehash(*parse(file), DigestAlg::sha256));
      CHECK(digest(result) == digest(file));
      for (const auto& [name, bytes] : spec.streams) {
        CHECK(stream(result, name) == bytes);
      }
      CHECK(ids_of(result) == Ids{});
    }
  }
}

TEST_CASE("msi edit: taking the signature off gives back the file, byte for byte",
          "[formats][msi]") {
  for (const CfbSpec& spec : shapes()) {
    const Bytes file = make_cfb(spec);
    for (const std::size_t size : {64U, 2000U, 4095U, 4096U, 100'000U}) {
      INFO("version " << spec.version << ", " << spec.streams.size() << " streams, " << size);
      CHECK((take_off(put(file, size)) == file));
    }
  }
}

TEST_CASE("msi edit: replacing a signature gives what signing the unsigned file gives",
          "[formats][msi]") {
  for (const CfbSpec& spec : shapes()) {
    const Bytes file = make_cfb(spec);
    for (const std::size_t size : {100U, 5000U}) {
      for (const std::size_t before : {200U, 4096U, 90'000U}) {
        CHECK((put(put(file, before, 0x77), size) == put(file, size)));
      }
    }
  }
}

TEST_CASE("msi edit: free sectors are closed up, and the content survives", "[formats][msi]") {
  for (const unsigned version : {3U, 4U}) {
    for (const std::size_t holes : {1U, 3U, 40U, 200U}) {
      CfbSpec spec;
      spec.version = version;
      spec.holes = holes;
      spec.streams = {{u"A", Bytes(5000, 0x31)}, {u"B", Bytes(70'000, 0x32)}, {u"C", Bytes(9, 3)}};
      const Bytes file = make_cfb(spec);
      REQUIRE(ids_of(file) == Ids{"msi-unreferenced-data warning"});

      const Bytes result = put(file, 6000);

      INFO("version " << version << ", " << holes << " holes");
      CHECK(ids_of(result) == Ids{});
      CHECK(digest(result) == digest(file));
      CHECK(ids_of(take_off(result)) == Ids{});
      CHECK(digest(take_off(result)) == digest(file));
    }
  }
}

TEST_CASE("msi edit: a file that outgrows the header's list of FAT sectors gets a DIFAT",
          "[formats][msi]") {
  CfbSpec spec;
  // 109 FAT sectors of 128 entries reach over 13952 sectors of 512 bytes.
  spec.streams = {{u"Large", Bytes(std::size_t{13'836} * 512, 0x44)}};
  const Bytes file = make_cfb(spec);
  REQUIRE(parse(file)->difat_sectors().empty());

  const Bytes result = put(file, 50'000);

  CHECK(parse(result)->difat_sectors().size() == 1);
  CHECK(peek_u32(result, 0x48) == 1);
  CHECK(ids_of(result) == Ids{});
  CHECK(digest(result) == digest(file));
  CHECK((take_off(result) == file));
}

TEST_CASE("msi edit: only the sectors that must change are touched", "[formats][msi]") {
  CfbSpec spec;
  spec.streams = {{u"Large", Bytes(4'000'000, 0x44)}};
  const Bytes file = make_cfb(spec);

  const PatchSet patches = must(msi::edit_signatures(
      *parse(file), {msi::prehash(*parse(file), DigestAlg::sha256), Bytes(2000, 1)}));

  std::size_t written = 0;
  for (const Patch& patch : patches.patches) {
    written += patch.bytes.size();
  }
  CHECK(patches.keep == file.size());
  CHECK(patches.moves.empty());
  CHECK(written < 10'000);
}

TEST_CASE("msi edit: an unsigned file is left alone", "[formats][msi]") {
  const Bytes file = make_cfb();

  const PatchSet patches = must(msi::edit_signatures(*parse(file), {}));

  CHECK(patches.keep == file.size());
  CHECK(patches.patches.empty());
}
