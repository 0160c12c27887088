// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/certificate_table.hpp"

#include "pe_test.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

PeSpec efi() {
  PeSpec spec;
  spec.subsystem = 10;
  return spec;
}

/// An image whose table holds raw `bytes`.
Bytes with_raw_table(const Bytes& bytes) {
  Bytes image = make_pe();
  const std::size_t offset = image.size();
  image.insert(image.end(), bytes.begin(), bytes.end());
  const PeFields fields = fields_of(image);
  poke_u32(image, fields.security, static_cast<std::uint32_t>(offset));
  poke_u32(image, fields.security + 4, static_cast<std::uint32_t>(bytes.size()));
  fix_checksum(image);
  return image;
}

std::string refusal_of(Bytes image) {
  const auto signatures = open(std::move(image))->signatures();
  return signatures ? "" : signatures.error().message;
}

std::string refusal_to_sign(Bytes image) {
  const auto signable = open(std::move(image))->check_signable(DigestAlg::sha256);
  return signable ? "" : signable.error().message;
}

}  // namespace

TEST_CASE("pe table: a signature comes back without its padding", "[formats][pe]") {
  for (std::size_t size = 1000; size < 1008; ++size) {
    const Bytes signature = fake_signature(size);
    const Bytes image = with_table(make_pe(), {{signature}});

    const auto found = must(open(image)->signatures());

    INFO("signature of " << size << " bytes");
    REQUIRE(found.size() == 1);
    CHECK(found[0].cms == signature);
    CHECK(found[0].offset == 0xC00);
    CHECK(found[0].size == image.size() - 0xC00);
    CHECK(found[0].location == "certificate table entry 1 at offset 3072");
    CHECK(finding_ids(image) == Ids{});
  }
}

TEST_CASE("pe table: an unsigned image has no signatures and nothing to object to",
          "[formats][pe]") {
  const auto file = open(make_pe());

  CHECK(must(file->signatures()).empty());
  CHECK(ids_of(must(file->container_findings())) == Ids{});
}

TEST_CASE("pe table: padding outside dwLength is accepted like padding inside", "[formats][pe]") {
  const Bytes signature = fake_signature(1003);
  const Bytes image = with_table(make_pe(), {{signature, 2, 0x0200, 8 + 1003}});

  CHECK(must(open(image)->signatures()).front().cms == signature);
  CHECK(finding_ids(image) == Ids{});
}

TEST_CASE("pe table: PE-1, a payload behind the signature inside its entry", "[formats][pe]") {
  Bytes body = fake_signature(1000);
  body.resize(1100, 0x41);
  const Bytes image = with_table(make_pe(), {{body}});

  CHECK(finding_ids(image) == Ids{"pe-padding-not-zero error", "pe-padding-too-long error"});
  CHECK(must(open(image)->signatures()).front().cms == fake_signature(1000));
}

TEST_CASE("pe table: PE-1, eight zeros are one too many, one other byte is too", "[formats][pe]") {
  Bytes long_padding = fake_signature(1000);
  long_padding.resize(1008, 0);
  Bytes dirty_padding = fake_signature(1001);
  dirty_padding.resize(1008, 0);
  dirty_padding.back() = 1;

  CHECK(finding_ids(with_table(make_pe(), {{long_padding}})) == Ids{"pe-padding-too-long error"});
  CHECK(finding_ids(with_table(make_pe(), {{dirty_padding}})) == Ids{"pe-padding-not-zero error"});
}

TEST_CASE("pe table: PE-2, bytes after the table", "[formats][pe]") {
  Bytes image = signed_pe();
  image.push_back(0);
  fix_checksum(image);
  const auto file = open(image);

  const auto findings = must(file->container_findings());

  CHECK(ids_of(findings) == Ids{"pe-data-after-table error"});
  CHECK(findings.front().message.find("bytes 3072 to 4080") != std::string::npos);
  // What follows would be lost, so nothing is written over it either.
  const std::vector<Bytes> signatures{fake_signature(100)};
  CHECK(file->strip().error().kind == ErrorKind::input);
  CHECK(file->embed(signatures).error().kind == ErrorKind::input);
  CHECK(file->content_to_sign(DigestAlg::sha256).error().kind == ErrorKind::input);
}

TEST_CASE("pe table: PE-3, a table in the middle of the file", "[formats][pe]") {
  // The table is put in front of the second section, as an attacker would; the bytes around it
  // keep their order, so a reader that leaves the table out computes the old digest.
  PeSpec spec;
  const Bytes honest = make_pe(spec);
  const Bytes record = signed_pe(spec);
  Bytes image(honest.begin(), honest.begin() + 0xA00);
  image.insert(image.end(), record.begin() + 0xC00, record.end());
  image.insert(image.end(), honest.begin() + 0xA00, honest.end());
  const PeFields fields = fields_of(image);
  const auto table_size = static_cast<std::uint32_t>(record.size() - 0xC00);
  poke_u32(image, fields.security, 0xA00);
  poke_u32(image, fields.security + 4, table_size);

  SECTION("the section still points at its old place, now inside the table") {
    fix_checksum(image);

    CHECK(finding_ids(image) == Ids{"pe-data-after-table error", "pe-section-in-table error"});
  }
  SECTION("the section points behind the table") {
    poke_u32(image, fields.section_table + 40 + 20, 0xA00 + table_size);
    fix_checksum(image);

    CHECK(finding_ids(image) ==
          Ids{"pe-data-after-table error", "pe-section-gap warning", "pe-table-in-middle error"});
  }
  CHECK(digest_hex_of(image) != digest_hex_of(honest));
}

TEST_CASE("pe table: PE-4, a section that reaches into the table", "[formats][pe]") {
  Bytes image = make_pe();
  const PeFields fields = fields_of(image);
  poke_u32(image, fields.section_table + 40 + 16, 0x208);
  image = with_table(image, {{fake_signature(1000)}});

  CHECK(finding_ids(image) == Ids{"pe-section-in-table error"});
}

TEST_CASE("pe table: PE-8, lengths that would hang or underflow a reader", "[formats][pe]") {
  struct Row {
    std::uint32_t length;
    std::string reason;
  };
  for (const Row& row : {Row{0, "says it is 0 bytes long"},
                         Row{7, "says it is 7 bytes long"},
                         Row{8, "leaves no room for content"},
                         Row{1009, "the table ends after 1008"},
                         Row{0xFFFFFFFF, "the table ends after 1008"}}) {
    Bytes image = signed_pe();
    poke_u32(image, 0xC00, row.length);
    fix_checksum(image);

    INFO("dwLength " << row.length);
    CHECK(refusal_of(image).find(row.reason) != std::string::npos);
    CHECK_FALSE(open(image)->container_findings());
  }
}

TEST_CASE("pe table: PE-9, further entries on an ordinary image", "[formats][pe]") {
  const PeEntry good{fake_signature(1000)};
  const PeEntry x509{fake_signature(100), 1};
  const PeEntry guid{Bytes(64, 0x41), 0x0EF1};
  PeEntry old_revision = good;
  old_revision.revision = 0x0100;

  CHECK(finding_ids(with_table(make_pe(), {good, good})) == Ids{"pe-multiple-entries error"});
  CHECK(must(open(with_table(make_pe(), {good, good}))->signatures()).size() == 2);
  CHECK(finding_ids(with_table(make_pe(), {good, x509})) == Ids{"pe-entry-type error"});
  CHECK(finding_ids(with_table(make_pe(), {good, guid})) == Ids{"pe-entry-type error"});
  CHECK(must(open(with_table(make_pe(), {x509, good, guid}))->signatures()).size() == 1);
  CHECK(finding_ids(with_table(make_pe(), {old_revision})) == Ids{"pe-entry-revision error"});
}

TEST_CASE("pe table: PE-9, a second entry of garbage is refused", "[formats][pe]") {
  const Bytes image = with_table(make_pe(), {{fake_signature(1000)}, {Bytes(64, 0x41)}});

  CHECK(refusal_of(image) ==
        "certificate table entry 2 at offset 4080 does not start with a DER SEQUENCE");
}

TEST_CASE("pe table: EFI images may hold several signature entries", "[formats][pe]") {
  const PeEntry good{fake_signature(1000)};
  const Bytes image = with_table(make_pe(efi()), {good, good});
  const auto file = open(image);

  CHECK(file->append_style() == AppendStyle::separate_entries);
  CHECK(must(file->signatures()).size() == 2);
  CHECK(ids_of(must(file->container_findings())) == Ids{});
  CHECK(open(make_pe())->append_style() == AppendStyle::nested);
}

TEST_CASE("pe table: bytes of no entry are reported", "[formats][pe]") {
  Bytes table = pe::encode_table(std::vector<Bytes>{fake_signature(1000)});

  SECTION("too few for an entry") {
    table.resize(table.size() + 4, 0x41);
    CHECK(finding_ids(with_raw_table(table)) == Ids{"pe-table-coverage error"});
  }
  SECTION("zeros") {
    table.resize(table.size() + 64, 0);
    CHECK(finding_ids(with_raw_table(table)) == Ids{"pe-table-coverage error"});
    CHECK(must(open(with_raw_table(table))->signatures()).size() == 1);
  }
  SECTION("zeros with something behind them") {
    table.resize(table.size() + 64, 0);
    table.back() = 1;
    CHECK(finding_ids(with_raw_table(table)) == Ids{"pe-table-coverage error"});
  }
  SECTION("what says it is an entry longer than the table") {
    table.resize(table.size() + 64, 0x41);
    CHECK(finding_ids(with_raw_table(table)) == Ids{"pe-table-coverage error"});
  }
}

TEST_CASE("pe table: a table that cannot hold an entry is refused", "[formats][pe]") {
  CHECK(refusal_of(with_raw_table(Bytes(7, 0))).find("too small for an entry") !=
        std::string::npos);
  CHECK(refusal_of(with_raw_table(Bytes(64, 0))).find("says it is 0 bytes long") !=
        std::string::npos);
}

TEST_CASE("pe table: an entry that does not hold DER is refused with the reason", "[formats][pe]") {
  struct Row {
    Bytes start;
    std::string reason;
  };
  for (const Row& row :
       {Row{{0x04, 0x10}, "does not start with a DER SEQUENCE"},
        Row{{0x30, 0x80}, "has a length that is not DER"},
        Row{{0x30, 0x85, 0, 0, 0, 0}, "has a length that is not DER"},
        Row{{0x30, 0x7F}, "holds a DER SEQUENCE of 129 bytes, but has room for 64"},
        Row{{0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}, "but has room for 64"}}) {
    Bytes body = row.start;
    body.resize(64, 0);

    const std::string reason = refusal_of(with_table(make_pe(), {{body}}));

    INFO(reason);
    CHECK(reason.find(row.reason) != std::string::npos);
  }
}

TEST_CASE("pe table: more than 64 entries are refused", "[formats][pe]") {
  const std::vector<PeEntry> most(64, PeEntry{fake_signature(8)});
  const std::vector<PeEntry> too_many(65, PeEntry{fake_signature(8)});

  CHECK(must(open(with_table(make_pe(efi()), most))->signatures()).size() == 64);
  CHECK(refusal_of(with_table(make_pe(efi()), too_many)) ==
        "the certificate table has more than 64 entries");
}

TEST_CASE("pe table: PE-12, a misaligned table", "[formats][pe]") {
  PeSpec spec;
  spec.overlay = 4;
  Bytes image = make_pe(spec);
  const std::size_t offset = image.size();
  const Bytes table = pe::encode_table(std::vector<Bytes>{fake_signature(1000)});
  image.insert(image.end(), table.begin(), table.end());
  const PeFields fields = fields_of(image);
  poke_u32(image, fields.security, static_cast<std::uint32_t>(offset));
  poke_u32(image, fields.security + 4, static_cast<std::uint32_t>(table.size()));
  fix_checksum(image);

  CHECK(finding_ids(image) == Ids{"pe-table-misaligned error"});
  CHECK(digest_hex_of(image) == to_hex(plain_digest(image, DigestAlg::sha256)));
}

TEST_CASE("pe layout: PE-5 and PE-6, layouts that readers disagree about", "[formats][pe]") {
  PeSpec gap;
  gap.sections = {{".text", 0x400, 0x200}, {".data", 0x800, 0x200}};
  PeSpec gap_after_headers;
  gap_after_headers.sections = {{".text", 0x600, 0x200}};
  PeSpec overlap;
  overlap.sections = {{".text", 0x400, 0x400}, {".data", 0x600, 0x400}};
  PeSpec headers_overlap;
  headers_overlap.sections = {{".text", 0x200, 0x400}};
  PeSpec unsorted;
  unsorted.sections = {{".data", 0x600, 0x200}, {".bss", 0, 0}, {".text", 0x400, 0x200}};

  for (const PeSpec& spec : {overlap, headers_overlap}) {
    INFO(spec.sections[0].name << " at " << spec.sections[0].raw_offset);
    const Bytes image = make_pe(spec);
    CHECK(finding_ids(image) == Ids{"pe-ambiguous-layout error"});
    CHECK(refusal_to_sign(image).find("overlaps what comes before it") != std::string::npos);
  }
  for (PeSpec spec : {gap, gap_after_headers}) {
    INFO(spec.sections[0].name << " at " << spec.sections[0].raw_offset);
    CHECK(finding_ids(signed_pe(spec)) == Ids{"pe-section-gap warning"});
    // Firmware walks the sections.
    spec.subsystem = 10;
    const Bytes image = make_pe(spec);
    CHECK(finding_ids(image) == Ids{"pe-ambiguous-layout error"});
    CHECK(refusal_to_sign(image).find("belong to no section") != std::string::npos);
  }
  // The walk sorts by file offset, so the order of the table alone does not matter.
  CHECK(finding_ids(signed_pe(unsorted)) == Ids{});
}

TEST_CASE("pe layout: PE-5, bytes in a gap are covered by the digest", "[formats][pe]") {
  PeSpec gap;
  gap.sections = {{".text", 0x400, 0x200}, {".data", 0x800, 0x200}};
  const Bytes image = signed_pe(gap);
  Bytes changed = image;
  changed[0x700] ^= 1U;

  CHECK(digest_hex_of(changed) != digest_hex_of(image));
}
