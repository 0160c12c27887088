// SPDX-License-Identifier: Apache-2.0
#include "cms/authenticode.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "formats/pe/image_data.hpp"
#include "formats/pe/page_hashes.hpp"
#include "pe_test.hpp"
#include "support/catch.hpp"

#include <functional>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

void append_row(Bytes& rows, std::size_t offset, const Bytes& hash) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    rows.push_back(static_cast<std::uint8_t>(offset >> shift & 0xFFU));
  }
  rows.insert(rows.end(), hash.begin(), hash.end());
}

/// Rows written down page by page from the description, for one way of cutting pages.
Bytes plain_rows(const PeSpec& spec, DigestAlg alg, std::size_t page_size = 4096) {
  const Bytes image = make_pe(spec);
  const PeFields fields = fields_of(image);
  Bytes rows;
  Bytes headers(image.begin(), image.begin() + spec.headers_size);
  headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(fields.security),
                headers.begin() + static_cast<std::ptrdiff_t>(fields.security) + 8);
  headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(fields.checksum),
                headers.begin() + static_cast<std::ptrdiff_t>(fields.checksum) + 4);
  headers.resize(page_size - 12, 0);
  append_row(rows, 0, crypto::hash(alg, headers));
  std::size_t end = 0;
  for (const PeSection& section : spec.sections) {
    end = std::size_t{section.raw_offset} + section.raw_size;
    for (std::size_t at = section.raw_offset; at < end; at += page_size) {
      Bytes page(image.begin() + static_cast<std::ptrdiff_t>(at),
                 image.begin() + static_cast<std::ptrdiff_t>(std::min(at + page_size, end)));
      page.resize(page_size, 0);
      append_row(rows, at, crypto::hash(alg, page));
    }
  }
  append_row(rows, end, Bytes(digest_size(alg), 0));
  return rows;
}

PeSpec paged() {
  PeSpec spec;
  spec.sections = {{".text", 0x400, 0x2600}, {".rdata", 0x2A00, 0x1000}, {".data", 0x3A00, 0x200}};
  spec.overlay = 500;
  return spec;
}

Bytes econtent_with(const pe::ImageData& data, const Bytes& digest) {
  return cms::encode_indirect_data(
      {std::string(oid::kSpcPeImageData), pe::encode_image_data(data), DigestAlg::sha256, digest});
}

Ids check_rows(const Bytes& image, DigestAlg alg, const Bytes& rows) {
  const Bytes econtent =
      econtent_with({pe::PageHashRows{alg, rows}}, plain_digest(image, DigestAlg::sha256));
  return ids_of(must(open(image)->check_content(econtent)));
}

}  // namespace

TEST_CASE("pe page hashes: are rows over headers, pages and the end", "[formats][pe]") {
  const PeSpec spec = paged();
  const auto file = open(make_pe(spec));

  REQUIRE(file->hash_pages());
  const SigningContent content = must(file->content_to_sign(DigestAlg::sha384));

  // SHA-256 rows whatever the file digest is.
  const auto indirect = must(cms::parse_indirect_data(content.econtent));
  const auto image_data = must(pe::parse_image_data(indirect.data_value));
  REQUIRE(image_data.page_hashes);
  CHECK(image_data.page_hashes->alg == DigestAlg::sha256);
  CHECK(to_hex(image_data.page_hashes->rows) == to_hex(plain_rows(spec, DigestAlg::sha256)));
  CHECK(to_hex(indirect.digest) == to_hex(plain_digest(make_pe(spec), DigestAlg::sha384)));
  CHECK(must(file->check_content(content.econtent)).empty());
}

TEST_CASE("pe page hashes: content without them is ten octets of image data", "[formats][pe]") {
  const auto file = open(make_pe());

  const SigningContent content = must(file->content_to_sign(DigestAlg::sha256));

  CHECK(content.content_type == oid::kSpcIndirectData);
  const auto indirect = must(cms::parse_indirect_data(content.econtent));
  CHECK(indirect.data_type == oid::kSpcPeImageData);
  CHECK(to_hex(indirect.data_value) == "3009030100a004a2028000");
  CHECK(must(file->check_content(content.econtent)).empty());
  const SigningContent parsed = must(file->parse_content(content.econtent, DigestAlg::sha256));
  CHECK(parsed.file_digest == content.file_digest);
  CHECK(parsed.alg == DigestAlg::sha256);
}

TEST_CASE("pe page hashes: both versions and both page sizes are checked", "[formats][pe]") {
  PeSpec spec = paged();
  CHECK(check_rows(make_pe(spec), DigestAlg::sha1, plain_rows(spec, DigestAlg::sha1)) == Ids{});
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, plain_rows(spec, DigestAlg::sha256)) == Ids{});

  spec.section_alignment = 0x2000;  // osslsigncode cuts pages of this size
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, plain_rows(spec, DigestAlg::sha256)) == Ids{});
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, plain_rows(spec, DigestAlg::sha256, 0x2000)) ==
        Ids{});
}

TEST_CASE("pe page hashes: a changed byte is found with its row", "[formats][pe]") {
  const PeSpec spec = paged();
  const Bytes rows = plain_rows(spec, DigestAlg::sha256);
  for (const std::size_t offset : {0x300U, 0x400U, 0x1500U, 0x2A00U, 0x3BFFU}) {
    Bytes image = make_pe(spec);
    image[offset] ^= 1U;

    INFO("byte " << offset);
    CHECK(check_rows(image, DigestAlg::sha256, rows) == Ids{"pe-page-hashes error"});
  }
}

TEST_CASE("pe page hashes: PE-11, rows that cannot belong to the file", "[formats][pe]") {
  const PeSpec spec = paged();
  const Bytes good = plain_rows(spec, DigestAlg::sha256);
  Bytes short_rows(good.begin(), good.end() - 36);
  Bytes cut_rows(good.begin(), good.end() - 1);
  Bytes long_rows = good;
  long_rows.resize(good.size() + 36, 0);
  Bytes far_row = good;
  far_row[36] = 0xFF;  // another offset in the second row

  const Ids malformed{"pe-page-hashes-malformed error"};
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, short_rows) == malformed);
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, cut_rows) == malformed);
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, long_rows) == malformed);
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, {}) == malformed);
  CHECK(check_rows(make_pe(spec), DigestAlg::sha256, far_row) == Ids{"pe-page-hashes error"});
}

TEST_CASE("pe page hashes: PE-11, headers and sections that rows cannot cover", "[formats][pe]") {
  PeSpec large_headers = paged();
  large_headers.headers_size = 0x1400;
  large_headers.sections = {{".text", 0x1400, 0x200}};
  Bytes past_end = make_pe(paged());
  poke_u32(past_end, fields_of(past_end).section_table + 80 + 16, 0x1000);  // .data
  PeSpec overlapping;
  overlapping.sections = {{".text", 0x400, 0x1000}, {".data", 0x400, 0x1000}};

  const Ids malformed{"pe-page-hashes-malformed error"};
  const Bytes three_rows(3 * 36, 0);
  CHECK(check_rows(make_pe(large_headers), DigestAlg::sha256, three_rows) == malformed);
  CHECK(check_rows(past_end, DigestAlg::sha256, plain_rows(paged(), DigestAlg::sha256)) ==
        malformed);
  CHECK(check_rows(make_pe(overlapping), DigestAlg::sha256, Bytes(4 * 36, 0)) == malformed);
}

TEST_CASE("pe page hashes: are refused where readers disagree about them", "[formats][pe]") {
  struct Row {
    std::string reason;
    std::function<void(PeSpec&)> change;
  };
  const std::vector<Row> rows{
      {"SectionAlignment is 8192", [](PeSpec& spec) { spec.section_alignment = 0x2000; }},
      {"larger than a page",
       [](PeSpec& spec) {
         spec.headers_size = 0x1200;
         spec.sections = {{".text", 0x1200, 0x200}};
       }},
      {"belong to no section",
       [](PeSpec& spec) {
         spec.sections = {{".text", 0x400, 0x200}, {".data", 0x800, 0x200}};
       }},
      {"not in file order",
       [](PeSpec& spec) {
         spec.sections = {{".data", 0x600, 0x200}, {".text", 0x400, 0x200}};
       }},
  };
  for (const Row& row : rows) {
    PeSpec spec;
    row.change(spec);

    const auto possible = open(make_pe(spec))->hash_pages();

    INFO(row.reason);
    REQUIRE_FALSE(possible);
    CHECK(possible.error().kind == ErrorKind::unsupported);
    INFO(possible.error().message);
    CHECK(possible.error().message.find(row.reason) != std::string::npos);
  }
}

TEST_CASE("pe content: another kind of file is reported", "[formats][pe]") {
  const Bytes digest(32, 0x11);
  const Bytes cab = cms::encode_indirect_data(
      {"1.3.6.1.4.1.311.2.1.25", from_hex_text("a2028000"), DigestAlg::sha256, digest});

  CHECK(ids_of(must(open(make_pe())->check_content(cab))) == Ids{"pe-data-type error"});
}

TEST_CASE("pe content: every image data that real signers write is accepted", "[formats][pe]") {
  for (const std::string hex : {
           "3009030100a004a2028000",  // signtool
           "3025030100a020a21e801c003c003c003c004f00620073006f006c006500740065003e003e003e",
           "302603020780a020a21e801c003c003c003c004f00620073006f006c006500740065003e003e003e",
           "3003030100",  // flags alone
           "3000",        // both members are optional
       }) {
    INFO(hex);
    CHECK(pe::parse_image_data(from_hex_text(hex)).has_value());
  }
}

TEST_CASE("pe content: malformed image data is reported, not believed", "[formats][pe]") {
  const Bytes digest(32, 0x11);
  for (const std::string hex : {
           "0500",                              // NULL
           "300b030100a004a20280000500",        // something behind
           "3009030100a104a2028000",            // wrong tag
           "3009030100a004a3028000",            // no such SpcLink
           "300d030100a008a10604010004010000",  // trailing octets
           "300d030100a008a106040100040100",    // moniker of another class
       }) {
    const Bytes value = from_hex_text(hex);
    INFO(hex);
    CHECK_FALSE(pe::parse_image_data(value).has_value());
    const Bytes econtent = cms::encode_indirect_data(
        {std::string(oid::kSpcPeImageData), value, DigestAlg::sha256, digest});
    const auto findings = open(make_pe())->check_content(econtent);
    CHECK((!findings || ids_of(*findings) == Ids{"pe-page-hashes-malformed error"}));
  }
}

TEST_CASE("pe content: PE-10, a digest of the wrong size is refused", "[formats][pe]") {
  for (const std::size_t size : {0U, 20U, 31U, 33U, 65U, 4096U}) {
    const Bytes econtent = econtent_with({}, Bytes(size, 0x11));

    INFO("digest of " << size << " bytes");
    CHECK_FALSE(open(make_pe())->parse_content(econtent, DigestAlg::sha256));
    CHECK_FALSE(open(make_pe())->check_content(econtent));
  }
}

TEST_CASE("pe content: PE-14, the signature of another file claims another digest",
          "[formats][pe]") {
  PeSpec other;
  other.overlay = 8;
  const auto file = open(make_pe());
  const SigningContent theirs = must(open(make_pe(other))->content_to_sign(DigestAlg::sha256));

  const SigningContent claimed = must(file->parse_content(theirs.econtent, DigestAlg::sha256));

  CHECK(claimed.file_digest == theirs.file_digest);
  CHECK(claimed.file_digest != digest_of(*file));
}
