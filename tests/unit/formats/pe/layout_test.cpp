// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/layout.hpp"

#include "pe_test.hpp"
#include "support/catch.hpp"

#include <functional>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

pe::Layout layout_of(Bytes image) {
  return must(pe::read_layout(MemorySource(std::move(image))));
}

struct Lie {
  std::string what;
  std::function<void(Bytes&, const PeFields&)> tell;
  ErrorKind kind;
  std::string reason;  ///< Part of the message.
};

std::vector<Lie> header_lies() {
  const auto input = ErrorKind::input;
  const auto unsupported = ErrorKind::unsupported;
  return {
      {"no MZ", [](Bytes& b, const PeFields&) { b[0] = 'N'; }, input, "start with \"MZ\""},
      {"e_lfanew 0",
       [](Bytes& b, const PeFields&) { poke_u32(b, 0x3C, 0); },
       input,
       "inside the MS-DOS header"},
      {"e_lfanew 0x3F",
       [](Bytes& b, const PeFields&) { poke_u32(b, 0x3C, 0x3F); },
       input,
       "inside the MS-DOS header"},
      {"e_lfanew at the end",
       [](Bytes& b, const PeFields&) { poke_u32(b, 0x3C, static_cast<std::uint32_t>(b.size())); },
       input,
       "e_lfanew points past the end of the file"},
      {"e_lfanew wraps around",
       [](Bytes& b, const PeFields&) { poke_u32(b, 0x3C, 0xFFFFFFFF); },
       input,
       "e_lfanew points past the end of the file"},
      {"e_lfanew elsewhere",
       [](Bytes& b, const PeFields&) { poke_u32(b, 0x3C, 0x100); },
       input,
       "no PE signature at offset 256"},
      {"ROM image",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.magic, 0x107); },
       unsupported,
       "ROM images"},
      {"unknown magic",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.magic, 0x30B); },
       input,
       "unknown magic number"},
      {"no optional header",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.optional_size, 0); },
       input,
       "SizeOfOptionalHeader is too small"},
      {"optional header without directories",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.optional_size, 100); },
       input,
       "SizeOfOptionalHeader is too small"},
      {"optional header ends inside the security entry",
       [](Bytes& b, const PeFields& f) {
         poke_u16(b, f.optional_size, static_cast<std::uint16_t>(f.security + 4 - f.magic));
       },
       input,
       "SizeOfOptionalHeader is too small for the security directory"},
      {"optional header past the end",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.optional_size, 0xFFFF); },
       input,
       "ends inside the optional header"},
      {"4 directories",
       [](Bytes& b, const PeFields& f) { poke_u32(b, f.directories, 4); },
       unsupported,
       "no security directory (NumberOfRvaAndSizes is 4)"},
      {"more sections than headers",
       [](Bytes& b, const PeFields& f) { poke_u16(b, f.section_count, 0xFFFF); },
       input,
       "does not cover the section table"},
      {"SizeOfHeaders 0",
       [](Bytes& b, const PeFields& f) { poke_u32(b, f.headers_size, 0); },
       input,
       "SizeOfHeaders (0) does not cover the section table"},
      {"SizeOfHeaders one short of the section table",
       [](Bytes& b, const PeFields& f) {
         poke_u32(b, f.headers_size, static_cast<std::uint32_t>(f.section_table + 79));
       },
       input,
       "does not cover the section table"},
      {"SizeOfHeaders past the end",
       [](Bytes& b, const PeFields& f) { poke_u32(b, f.headers_size, 0xFFFFFFFF); },
       input,
       "is larger than the file"},
      {"table without size",
       [](Bytes& b, const PeFields& f) { poke_u32(b, f.security, 0x800); },
       input,
       "has an offset but no size"},
      {"table without offset",
       [](Bytes& b, const PeFields& f) { poke_u32(b, f.security + 4, 8); },
       input,
       "points into the headers"},
      {"table inside the headers",
       [](Bytes& b, const PeFields& f) {
         poke_u32(b, f.security, 0x3F8);
         poke_u32(b, f.security + 4, 0x10);
       },
       input,
       "points into the headers"},
      {"table past the end",
       [](Bytes& b, const PeFields& f) {
         poke_u32(b, f.security, static_cast<std::uint32_t>(b.size() - 8));
         poke_u32(b, f.security + 4, 0x10);
       },
       input,
       "reaches past the end of the file"},
      {"table that wraps 32 bits",  // PE-7
       [](Bytes& b, const PeFields& f) {
         poke_u32(b, f.security, 0xFFFFFFF8);
         poke_u32(b, f.security + 4, 0x10);
       },
       input,
       "reaches past the end of the file"},
  };
}

/// A source that claims to be larger than memory; reading it gives zeros.
class HugeSource final : public ByteSource {
 public:
  explicit HugeSource(std::uint64_t size) : size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t, std::span<std::uint8_t> out) const override {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return ok();
  }

 private:
  std::uint64_t size_;
};

}  // namespace

TEST_CASE("pe layout: the fields of a good image are found", "[formats][pe]") {
  const auto kind = GENERATE(PeKind::pe32, PeKind::pe32_plus);
  PeSpec spec;
  spec.kind = kind;
  const Bytes image = make_pe(spec);
  const PeFields fields = fields_of(image);

  const pe::Layout layout = layout_of(image);

  CHECK(layout.file_size == image.size());
  CHECK(layout.checksum_offset == fields.checksum);
  CHECK(layout.security_offset == fields.security);
  CHECK(layout.checksum == plain_checksum(image));
  CHECK(layout.headers_size == 0x400);
  CHECK_FALSE(layout.has_table());
  REQUIRE(layout.sections.size() == 2);
  CHECK(layout.sections[1].name == ".data");
  CHECK(layout.sections[1].raw_offset == 0xA00);
  CHECK(layout.sections[1].raw_end() == 0xC00);
}

TEST_CASE("pe layout: a header that lies is refused with the reason", "[formats][pe]") {
  for (const Lie& lie : header_lies()) {
    INFO(lie.what);
    Bytes image = make_pe();
    lie.tell(image, fields_of(image));

    const auto file = try_open(image);

    REQUIRE_FALSE(file);
    CHECK(file.error().kind == lie.kind);
    INFO(file.error().message);
    CHECK(file.error().message.find(lie.reason) != std::string::npos);
  }
}

TEST_CASE("pe layout: more than 16 data directories count as 16", "[formats][pe]") {
  Bytes image = make_pe();
  poke_u32(image, fields_of(image).directories, 0xFFFFFFFF);

  CHECK(try_open(image).has_value());
}

TEST_CASE("pe layout: five data directories are enough", "[formats][pe]") {
  Bytes image = make_pe();
  poke_u32(image, fields_of(image).directories, 5);

  CHECK(try_open(image).has_value());
}

TEST_CASE("pe layout: control characters in a section name are made visible", "[formats][pe]") {
  PeSpec spec;
  spec.sections[0].name = "\x1b[31m";

  const pe::Layout layout = layout_of(make_pe(spec));

  CHECK(layout.sections[0].name.find('\x1b') == std::string::npos);
}

TEST_CASE("pe layout: a file of 4 GiB is unsupported, one byte less is read", "[formats][pe]") {
  const auto too_large = pe::read_layout(HugeSource(0x1'0000'0000));
  const auto largest = pe::read_layout(HugeSource(0xFFFF'FFFF));

  REQUIRE_FALSE(too_large);
  CHECK(too_large.error().kind == ErrorKind::unsupported);
  REQUIRE_FALSE(largest);
  CHECK(largest.error().message == "the file does not start with \"MZ\"");
}

TEST_CASE("pe layout: every prefix of a signed image is refused or is another, unsigned image",
          "[formats][pe]") {
  const Bytes image = signed_pe();
  const std::string digest = digest_hex_of(image);

  for (std::size_t size = 0; size < image.size(); ++size) {
    const auto file =
        try_open(Bytes(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size)));

    INFO("prefix of " << size << " bytes");
    // The security directory is inside the headers, so whatever opens would still claim a table.
    REQUIRE_FALSE(file);
    CHECK_FALSE(file.error().message.empty());
  }
  CHECK(digest.size() == 64);
}

TEST_CASE("pe layout: every prefix of an unsigned image is refused or hashes differently",
          "[formats][pe]") {
  const Bytes image = make_pe();
  const std::string digest = digest_hex_of(image);

  for (std::size_t size = 0; size < image.size(); ++size) {
    const auto file =
        try_open(Bytes(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size)));
    if (!file) {
      continue;
    }
    INFO("prefix of " << size << " bytes");
    CHECK(to_hex(digest_of(**file)) != digest);
    CHECK(ids_of(must((*file)->container_findings())).back() == "pe-section-past-end error");
    // A section would reach into the certificate table once it is signed.
    const auto content = (*file)->content_to_sign(DigestAlg::sha256);
    REQUIRE_FALSE(content);
    CHECK(content.error().kind == ErrorKind::input);
  }
}
