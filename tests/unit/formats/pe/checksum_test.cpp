// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/checksum.hpp"

#include "pe_test.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

std::uint32_t checksum_in_pieces(const Bytes& bytes, std::size_t piece) {
  pe::ChecksumSum sum;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    sum.add(at, ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at)));
  }
  return sum.value(bytes.size());
}

}  // namespace

TEST_CASE("pe checksum: pieces of any size at any place give the same sum", "[formats][pe]") {
  for (const std::uint32_t overlay : {0U, 1U, 2U, 3U}) {
    PeSpec spec;
    spec.overlay = overlay;
    Bytes image = make_pe(spec);
    const std::uint32_t expected = plain_checksum(image);
    poke_u32(image, fields_of(image).checksum, 0);

    for (const std::size_t piece : {1U, 2U, 3U, 5U, 64U, 1001U, 100000U}) {
      INFO("pieces of " << piece << ", overlay of " << overlay);
      CHECK(checksum_in_pieces(image, piece) == expected);
    }
  }
}

TEST_CASE("pe checksum: the worst content does not overflow", "[formats][pe]") {
  const Bytes ones(3'000'003, 0xFF);
  Bytes image = make_pe();
  image.insert(image.end(), ones.begin(), ones.end());
  const std::uint32_t expected = plain_checksum(image);
  poke_u32(image, fields_of(image).checksum, 0);

  CHECK(checksum_in_pieces(image, 4096) == expected);
}

TEST_CASE("pe checksum: bytes taken back leave no trace", "[formats][pe]") {
  const Bytes image = make_pe();
  pe::ChecksumSum sum;
  sum.add(0, image);
  const std::uint32_t before = sum.value(image.size());
  const Bytes other{1, 2, 3, 0xFF, 0xFE};

  sum.add(7, other);
  sum.subtract(7, other);

  CHECK(sum.value(image.size()) == before);
}

TEST_CASE("pe checksum: a file of zeros has its length as checksum", "[formats][pe]") {
  pe::ChecksumSum sum;
  sum.add(0, Bytes(100, 0));

  CHECK(sum.value(100) == 100);
}
