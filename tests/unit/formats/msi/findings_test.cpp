// SPDX-License-Identifier: Apache-2.0
// Changes to a signed file that leave its digest as it was.
#include "formats/msi/findings.hpp"

#include "cfb_builder.hpp"
#include "formats/msi/edit.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

using Ids = std::vector<std::string>;

/// With something in the place of a signature, and the pre-hash that belongs to it.
Bytes with_signature(const CfbSpec& spec) {
  const Bytes bytes = make_cfb(spec);
  const auto file = must(msi::CompoundFile::open(std::make_shared<MemorySource>(bytes)));
  msi::SignatureStreams streams;
  streams.prehash = msi::prehash(*file, DigestAlg::sha256);
  streams.signature = Bytes(100, 0x5A);
  return patched(bytes, must(msi::edit_signatures(*file, streams)));
}

CfbSpec version(unsigned major) {
  CfbSpec spec;
  spec.version = major;
  return spec;
}

std::size_t sector_at(const Bytes& file, std::size_t field) {
  return (std::size_t{peek_u32(file, field)} + 1) << file[0x1E];
}

/// Offset of the directory entry with that name, or of the first that is free.
std::size_t entry_at(const Bytes& file, std::u16string_view name) {
  const Bytes wanted = msi::name_bytes(name);
  for (std::size_t at = sector_at(file, 0x30);; at += 128) {
    REQUIRE(at + 128 <= file.size());
    const bool is_free = file[at + 0x42] == 0;
    const bool is_named =
        file[at + 0x40] == wanted.size() + 2 &&
        std::equal(wanted.begin(), wanted.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
    if (name.empty() ? is_free : is_named) {
      return at;
    }
  }
}

Ids with_octets(Bytes file, std::size_t at, std::size_t count) {
  std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, std::uint8_t{0x41});
  return ids_of(std::move(file));
}

}  // namespace

TEST_CASE("msi: a pre-hash that was renamed away is missed", "[formats][msi]") {
  const std::array algs{DigestAlg::sha256};
  const Bytes good = with_signature({});
  const auto content = must(open(make_cfb())->content_to_sign(DigestAlg::sha256));
  Bytes renamed = good;
  renamed[entry_at(good, msi::kPrehashName) + 4] = 'r';

  // It sorts first like any other stream, so that the digest stays.
  CHECK(must(open(good)->file_digests(algs)).front() == content.file_digest);
  CHECK(must(open(renamed)->file_digests(algs)).front() == content.file_digest);
  CHECK(must(open(good)->check_content(content.econtent)).empty());
  const auto findings = must(open(renamed)->check_content(content.econtent));
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().id == "msi-prehash-removed");
  CHECK(findings.front().severity == Severity::error);
}

TEST_CASE("msi: bytes in places that must be empty are found", "[formats][msi]") {
  for (const unsigned major : {3U, 4U}) {
    INFO(major);
    const Bytes file = with_signature(version(major));
    const std::size_t sector = std::size_t{1} << file[0x1E];
    CHECK(ids_of(file).empty());

    CHECK(with_octets(file, 0x08, 16) == Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, 0x22, 6) == Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, 0x4C + 4 * 108, 4) == Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, 0x4C + 4 * 60, 68) == Ids{"msi-hidden-data error"});
    CHECK(with_octets(file, sector_at(file, 0x4C) + sector - 4, 4) ==
          Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, sector_at(file, 0x4C) + sector - 80, 80) ==
          Ids{"msi-hidden-data error"});
    CHECK(with_octets(file, sector_at(file, 0x3C) + sector - 8, 8) ==
          Ids{"msi-hidden-data warning"});
    const std::size_t small = entry_at(file, u"!Small");
    CHECK(with_octets(file, small + 14, 50) == Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, small + 14, 1) == Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, entry_at(file, msi::kSignatureName) + 36, 28) ==
          Ids{"msi-hidden-data warning"});
    CHECK(with_octets(file, entry_at(file, msi::kSignatureName) + 0x50, 36) ==
          Ids{"msi-hidden-data warning"});
    if (major == 4) {
      CHECK(with_octets(file, 512, 3584) == Ids{"msi-hidden-data error"});
      CHECK(with_octets(file, entry_at(file, u""), 60) == Ids{"msi-hidden-data warning"});
    }
  }
}

TEST_CASE("msi: what the gate would refuse once it is signed costs no signature",
          "[formats][msi]") {
  const auto with_hidden = [](std::size_t count) {
    Bytes file = make_cfb();
    std::fill_n(file.begin() + 0x4C + 4 * 60, count, std::uint8_t{0x41});
    return file;
  };
  must(open(with_hidden(60))->check_signable(DigestAlg::sha256));

  const auto refused = open(with_hidden(68))->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::input);
  CHECK(refused.error().message.find("must be empty") != std::string::npos);
}

TEST_CASE("msi: a header that lies about the DIFAT is an error", "[formats][msi]") {
  const auto with_number = [](std::size_t at, std::uint8_t value) {
    Bytes file = with_signature({});
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{0});
    file[at] = value;
    return ids_of(std::move(file));
  };
  CHECK(with_number(0x48, 1) == Ids{"msi-difat error"});  // Number of DIFAT sectors.
  CHECK(with_number(0x44, 3) == Ids{"msi-difat error"});  // The first of them.
}

TEST_CASE("msi: a tree in another order is an error once it is signed", "[formats][msi]") {
  const Bytes file = make_cfb();
  const auto swapped = [](Bytes bytes) {
    // Names of the same length: each comes into the place of the other.
    const std::size_t a = entry_at(bytes, u"!Small");
    const std::size_t b = entry_at(bytes, u"!Large");
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(a),
                     bytes.begin() + static_cast<std::ptrdiff_t>(a + 0x42),
                     bytes.begin() + static_cast<std::ptrdiff_t>(b));
    return bytes;
  };

  CHECK(ids_of(swapped(file)) == Ids{"msi-directory-order warning"});
  const auto refused = open(swapped(file))->content_to_sign(DigestAlg::sha256);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("not sorted") != std::string::npos);
  CfbSpec twins;
  twins.streams = {{u"ab", Bytes(10, 1)}, {u"AB", Bytes(10, 2)}};
  CHECK_FALSE(open(make_cfb(twins))->content_to_sign(DigestAlg::sha256));

  const Ids ids = ids_of(swapped(with_signature({})));
  CHECK(std::find(ids.begin(), ids.end(), "msi-directory-order error") != ids.end());
}
