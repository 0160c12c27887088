// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <cstdint>
#include <optional>

namespace signctl {

/// Checked a + b; empty on overflow.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  if (a > UINT64_MAX - b) {
    return std::nullopt;
  }
  return a + b;
}

/// Checked a * b; empty on overflow.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > UINT64_MAX / b) {
    return std::nullopt;
  }
  return a * b;
}

/// Little-endian reads inside a view, each empty when it does not fit. No raw indexing elsewhere.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<std::uint8_t> u8(std::uint64_t offset) const {
    return read<std::uint8_t>(offset);
  }
  [[nodiscard]] std::optional<std::uint16_t> u16(std::uint64_t offset) const {
    return read<std::uint16_t>(offset);
  }
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint64_t offset) const {
    return read<std::uint32_t>(offset);
  }
  [[nodiscard]] std::optional<std::uint64_t> u64(std::uint64_t offset) const {
    return read<std::uint64_t>(offset);
  }

  /// `size` bytes from `offset`; empty when they are not all there.
  [[nodiscard]] std::optional<ByteView> slice(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      return std::nullopt;
    }
    return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }

 private:
  template <class T>
  [[nodiscard]] std::optional<T> read(std::uint64_t offset) const {
    const auto field = slice(offset, sizeof(T));
    if (!field) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<std::uint64_t>((*field)[i]) << (8U * i);
    }
    return static_cast<T>(value);
  }

  ByteView bytes_;
};

/// Appends `value` to `out`, little-endian.
template <class T>
void put_le(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(
        static_cast<std::uint8_t>((static_cast<std::uint64_t>(value) >> (8U * i)) & 0xFFU));
  }
}

}  // namespace signctl
