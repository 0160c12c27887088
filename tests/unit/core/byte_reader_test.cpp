// SPDX-License-Identifier: Apache-2.0
#include "core/byte_reader.hpp"

#include "support/catch.hpp"

using namespace signctl;

TEST_CASE("byte reader: integers are little-endian", "[core]") {
  const Bytes bytes{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};
  const ByteReader reader(bytes);

  CHECK(reader.u8(7) == std::uint8_t{0x88});
  CHECK(reader.u16(0) == std::uint16_t{0x0201});
  CHECK(reader.u32(1) == std::uint32_t{0x05040302});
  CHECK(reader.u64(0) == std::uint64_t{0x8807060504030201});
}

TEST_CASE("byte reader: what does not fit is empty", "[core]") {
  const Bytes bytes(8);
  const ByteReader reader(bytes);

  CHECK_FALSE(reader.u8(8));
  CHECK_FALSE(reader.u16(7));
  CHECK_FALSE(reader.u32(5));
  CHECK_FALSE(reader.u64(1));
  CHECK_FALSE(reader.u32(UINT64_MAX));
  CHECK_FALSE(reader.u64(UINT64_MAX - 3));
  CHECK_FALSE(reader.slice(1, UINT64_MAX));
  CHECK_FALSE(reader.slice(UINT64_MAX, UINT64_MAX));
  CHECK_FALSE(reader.slice(9, 0));
}

TEST_CASE("byte reader: a slice may be empty and may end at the end", "[core]") {
  const Bytes bytes{1, 2, 3};
  const ByteReader reader(bytes);

  REQUIRE(reader.slice(3, 0));
  CHECK(reader.slice(3, 0)->empty());
  REQUIRE(reader.slice(1, 2));
  CHECK((*reader.slice(1, 2))[1] == 3);
}

TEST_CASE("byte reader: put_le is the inverse of the reads", "[core]") {
  Bytes bytes;
  put_le(bytes, std::uint16_t{0xBEEF});
  put_le(bytes, std::uint32_t{0xDEADC0DE});
  put_le(bytes, std::uint64_t{0x0123456789ABCDEF});

  const ByteReader reader(bytes);
  REQUIRE(bytes.size() == 14);
  CHECK(reader.u16(0) == std::uint16_t{0xBEEF});
  CHECK(reader.u32(2) == std::uint32_t{0xDEADC0DE});
  CHECK(reader.u64(6) == std::uint64_t{0x0123456789ABCDEF});
}

TEST_CASE("checked arithmetic: overflow is empty, the largest value is not", "[core]") {
  CHECK(checked_add(UINT64_MAX - 1, 1) == UINT64_MAX);
  CHECK_FALSE(checked_add(UINT64_MAX, 1));
  CHECK_FALSE(checked_add(1, UINT64_MAX));
  CHECK(checked_add(0, 0) == 0U);

  CHECK(checked_mul(UINT64_MAX, 1) == UINT64_MAX);
  CHECK(checked_mul(UINT64_MAX, 0) == 0U);
  CHECK(checked_mul(0, UINT64_MAX) == 0U);
  CHECK(checked_mul(std::uint64_t{1} << 32U, (std::uint64_t{1} << 32U) - 1) ==
        UINT64_MAX - (std::uint64_t{1} << 32U) + 1);
  CHECK_FALSE(checked_mul(std::uint64_t{1} << 32U, std::uint64_t{1} << 32U));
  CHECK_FALSE(checked_mul(3, UINT64_MAX / 2));
}
