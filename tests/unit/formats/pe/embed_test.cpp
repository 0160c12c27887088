// SPDX-License-Identifier: Apache-2.0
#include "pe_test.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

Bytes embed(const Bytes& image, const std::vector<Bytes>& signatures) {
  return apply_patches(image, must(open(image)->embed(signatures)));
}

Bytes strip(const Bytes& image) {
  return apply_patches(image, must(open(image)->strip()));
}

std::vector<PeSpec> shapes() {
  PeSpec odd;
  odd.kind = PeKind::pe32;
  odd.overlay = 13;
  PeSpec misplaced;  // checksum and directory at odd offsets
  misplaced.pe_offset = 0x1A3;
  misplaced.headers_size = 0x600;
  misplaced.sections = {{".text", 0x600, 0x200}};
  PeSpec large;
  large.sections = {{".text", 0x400, 0x50000}};
  large.overlay = 300'002;
  return {PeSpec{}, odd, misplaced, large};
}

}  // namespace

TEST_CASE("pe embed: the result is what a plain builder makes, checksum included",
          "[formats][pe]") {
  for (const PeSpec& spec : shapes()) {
    for (const std::size_t size : {999U, 1000U, 1001U}) {
      const Bytes image = make_pe(spec);
      const Bytes signature = fake_signature(size);

      const Bytes result = embed(image, {signature});

      INFO("image of " << image.size() << " bytes, signature of " << size);
      CHECK(result == with_table(image, {{signature}}));
      CHECK(peek_u32(result, fields_of(result).checksum) == plain_checksum(result));
      CHECK(finding_ids(result) == Ids{});
    }
  }
}

TEST_CASE("pe embed: does not change the digest", "[formats][pe]") {
  for (const PeSpec& spec : shapes()) {
    const Bytes image = make_pe(spec);
    const auto content = must(open(image)->content_to_sign(DigestAlg::sha256));

    const auto file = open(embed(image, {fake_signature(1000)}));

    CHECK(to_hex(digest_of(*file)) == to_hex(content.file_digest));
    CHECK(must(file->content_to_sign(DigestAlg::sha256)).econtent == content.econtent);
  }
}

TEST_CASE("pe embed: stripping gives the original bytes of an aligned image with a checksum",
          "[formats][pe]") {
  const Bytes image = make_pe();

  CHECK(strip(embed(image, {fake_signature(1000)})) == image);
}

TEST_CASE("pe embed: stripping an image that had to be padded keeps the padding", "[formats][pe]") {
  PeSpec spec;
  spec.overlay = 3;
  Bytes padded = make_pe(spec);
  padded.resize(padded.size() + 5, 0);
  fix_checksum(padded);

  CHECK(strip(embed(make_pe(spec), {fake_signature(1000)})) == padded);
}

TEST_CASE("pe embed: stripping an unsigned image changes nothing", "[formats][pe]") {
  const Bytes image = make_pe();

  const PatchSet patches = must(open(image)->strip());

  CHECK(patches.keep == image.size());
  CHECK(patches.patches.empty());
}

TEST_CASE("pe embed: a signed image gets a new table in place of the old one", "[formats][pe]") {
  for (const PeSpec& spec : shapes()) {
    const Bytes image = make_pe(spec);
    const Bytes once = embed(image, {fake_signature(5000)});

    CHECK(embed(once, {fake_signature(1000)}) == embed(image, {fake_signature(1000)}));
  }
}

TEST_CASE("pe embed: a misaligned table is replaced by an aligned one", "[formats][pe]") {
  // The old table starts at 4 modulo 8; what is signed next is padded like an unsigned file.
  PeSpec spec;
  spec.overlay = 4;
  const Bytes image = make_pe(spec);
  Bytes misaligned = image;
  const PeFields fields = fields_of(image);
  poke_u32(misaligned, fields.security, static_cast<std::uint32_t>(image.size()));
  poke_u32(misaligned, fields.security + 4, 24);
  const Bytes entry{24, 0, 0, 0, 0, 2, 2, 0, 0x30, 14};
  misaligned.insert(misaligned.end(), entry.begin(), entry.end());
  misaligned.resize(image.size() + 24, 0);

  const auto content = must(open(misaligned)->content_to_sign(DigestAlg::sha256));
  const Bytes result = embed(misaligned, {fake_signature(1000)});

  CHECK(result == embed(image, {fake_signature(1000)}));
  CHECK(to_hex(content.file_digest) == digest_hex_of(image));
}

TEST_CASE("pe embed: several entries are for EFI images only", "[formats][pe]") {
  PeSpec efi;
  efi.subsystem = 11;
  const std::vector<Bytes> two{fake_signature(1000), fake_signature(1003)};

  const auto refused = open(make_pe())->embed(two);
  const Bytes result = embed(make_pe(efi), two);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unsupported);
  CHECK(result == with_table(make_pe(efi), {{two[0]}, {two[1]}}));
}

TEST_CASE("pe embed: a wrong checksum is mended by signing and reported before", "[formats][pe]") {
  Bytes wrong = make_pe();
  poke_u32(wrong, fields_of(wrong).checksum, 0x1234);
  Bytes none = make_pe();
  poke_u32(none, fields_of(none).checksum, 0);

  CHECK(finding_ids(wrong) == Ids{"pe-checksum warning"});
  CHECK(finding_ids(none) == Ids{"pe-checksum info"});
  CHECK(finding_ids(embed(wrong, {fake_signature(1000)})) == Ids{});
}

TEST_CASE("pe facts: say what the image is", "[formats][pe]") {
  PeSpec spec;
  spec.overlay = 16;
  const Bytes image = make_pe(spec);

  const auto facts = must(open(image)->facts());

  const auto value = [&facts](const std::string& name) {
    for (const FileFact& fact : facts) {
      if (fact.name == name) {
        return fact.value;
      }
    }
    return std::string("missing");
  };
  CHECK(value("kind") == "PE32+");
  CHECK(value("machine") == "x86-64 (0x8664)");
  CHECK(value("subsystem") == "Windows console (0x0003)");
  CHECK(value("overlay") == "16 bytes");
  CHECK(value("sections") == "2");
  CHECK(value("certificate table") == "none");
  CHECK(value("checksum stored") == value("checksum computed"));
}
