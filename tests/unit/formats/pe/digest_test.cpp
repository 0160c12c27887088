// SPDX-License-Identifier: Apache-2.0
#include "pe_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

const std::array kAllAlgs{
    DigestAlg::md5, DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512};

/// A third-party file that is not in the tree; empty, and said so, when it is not there.
Bytes third_party(const std::string& name) {
  const std::string path = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/" + name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    std::cerr << "SKIPPED: no golden digest of " << name << " (" << path << " is not there)\n";
    return {};
  }
  return slurp(path);
}

}  // namespace

TEST_CASE("pe digest: agrees with a plain implementation for every algorithm and shape",
          "[formats][pe]") {
  PeSpec odd;
  odd.kind = PeKind::pe32;
  odd.overlay = 13;
  PeSpec far;  // headers away from the start and not aligned
  far.pe_offset = 0x1A3;
  far.headers_size = 0x600;
  far.sections = {{".text", 0x600, 0x200}};
  for (const PeSpec& spec : {PeSpec{}, odd, far}) {
    for (const Bytes& image : {make_pe(spec), signed_pe(spec)}) {
      const auto file = open(image);

      const std::vector<Bytes> digests = must(file->file_digests(kAllAlgs));

      REQUIRE(digests.size() == kAllAlgs.size());
      for (std::size_t i = 0; i < kAllAlgs.size(); ++i) {
        INFO(digest_name(kAllAlgs[i]) << ", file of " << image.size() << " bytes");
        CHECK(to_hex(digests[i]) == to_hex(plain_digest(image, kAllAlgs[i])));
      }
    }
  }
}

TEST_CASE("pe digest: images larger than a block agree too", "[formats][pe]") {
  PeSpec spec;
  spec.sections = {{".text", 0x400, 0x90000}, {".data", 0x90400, 0x200}};
  spec.overlay = 700'001;
  const Bytes image = make_pe(spec);

  CHECK(digest_hex_of(image) == to_hex(plain_digest(image, DigestAlg::sha256)));
}

TEST_CASE("pe digest: remembered digests are those of the first pass", "[formats][pe]") {
  const Bytes image = make_pe();
  const auto file = open(image);
  const std::array first{DigestAlg::sha256};
  const std::array second{DigestAlg::sha1, DigestAlg::sha256, DigestAlg::sha1};

  const Bytes before = must(file->file_digests(first)).front();
  const std::vector<Bytes> after = must(file->file_digests(second));

  REQUIRE(after.size() == 3);
  CHECK(after[1] == before);
  CHECK(after[0] == plain_digest(image, DigestAlg::sha1));
  CHECK(after[2] == after[0]);
}

TEST_CASE("pe digest: covers every byte but checksum, security entry and table", "[formats][pe]") {
  // PE-15: one byte flipped in each region.
  PeSpec spec;
  spec.overlay = 40;
  const Bytes image = signed_pe(spec);
  const PeFields fields = fields_of(image);
  const std::size_t table = peek_u32(image, fields.security);
  const std::string digest = digest_hex_of(image);

  for (std::size_t offset = 0; offset < image.size(); ++offset) {
    Bytes changed = image;
    changed[offset] ^= 0x01U;
    const bool uncovered =
        (offset >= fields.checksum && offset < fields.checksum + 4) || offset >= table;
    const bool entry = offset >= fields.security && offset < fields.security + 8;

    const auto file = try_open(changed);

    INFO("byte " << offset);
    if (!file || entry) {
      CHECK_FALSE(uncovered);  // headers that no longer parse
      continue;
    }
    CHECK((to_hex(digest_of(**file)) == digest) == uncovered);
  }
}

TEST_CASE("pe digest: a lie in the security entry never leaves a good file", "[formats][pe]") {
  const Bytes image = signed_pe();
  const std::size_t entry = fields_of(image).security;

  for (std::size_t offset = entry; offset < entry + 8; ++offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes changed = image;
      changed[offset] ^= static_cast<std::uint8_t>(1U << bit);
      fix_checksum(changed);

      const auto file = try_open(changed);

      INFO("byte " << offset << " bit " << bit);
      if (!file) {
        continue;
      }
      const auto findings = (*file)->container_findings();
      CHECK((!findings || !findings->empty()));
    }
  }
}

TEST_CASE("pe digest: signing pads an unaligned file and hashes the padding", "[formats][pe]") {
  PeSpec spec;
  spec.overlay = 3;
  const Bytes image = make_pe(spec);
  Bytes padded = image;
  padded.resize(image.size() + 5, 0);

  CHECK(digest_hex_of(image) == digest_hex_of(padded));
  CHECK(digest_hex_of(image) == digest_hex_of(signed_pe(spec)));
}

TEST_CASE("pe digest: hashed ranges leave out exactly the two fields and the table",
          "[formats][pe]") {
  const Bytes image = signed_pe();
  const PeFields fields = fields_of(image);

  const auto ranges = must(open(image)->hashed_ranges());

  REQUIRE(ranges.size() == 3);
  CHECK(ranges[0].begin == 0);
  CHECK(ranges[0].end == fields.checksum);
  CHECK(ranges[1].begin == fields.checksum + 4);
  CHECK(ranges[1].end == fields.security);
  CHECK(ranges[2].begin == fields.security + 8);
  CHECK(ranges[2].end == peek_u32(image, fields.security));
}

TEST_CASE("pe digest: golden values that other tools have signed", "[formats][pe]") {
  struct Golden {
    std::string file;
    DigestAlg alg;
    std::string digest;
  };
  // From Jsign's own tests and catalog (wineyes) and from sbsign's signature (fbx64).
  const std::vector<Golden> golden{
      {"wineyes.exe", DigestAlg::sha1, "d27ec498912807ddfc4bec2be4f62c42814836f3"},
      {"wineyes.exe",
       DigestAlg::sha256,
       "7bb369df020cea757619e1c1d678dbca06b638f2cc45b740b5eacfc21e76b160"},
      {"fbx64.efi",
       DigestAlg::sha256,
       "699bc2bcaff84535042a3b3d6b3bd77da2fc9ee37c348e06afa7038c5aa802ca"},
      {"fbx64-signed-by-sbsign.efi",
       DigestAlg::sha256,
       "699bc2bcaff84535042a3b3d6b3bd77da2fc9ee37c348e06afa7038c5aa802ca"},
  };
  for (const Golden& row : golden) {
    const Bytes image = third_party(row.file);
    if (image.empty()) {
      continue;
    }
    INFO(row.file);
    CHECK(digest_hex_of(image, row.alg) == row.digest);
  }
}

TEST_CASE("pe digest: a 16-bit program is refused in words", "[formats][pe]") {
  const Bytes image = third_party("MORE.EXE");
  if (image.empty()) {
    return;
  }

  const auto file = try_open(image);

  REQUIRE_FALSE(file);
  CHECK(file.error().message == "e_lfanew points past the end of the file");
  CHECK(file.error().hint.find("16-bit") != std::string::npos);
}
