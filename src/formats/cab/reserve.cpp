// SPDX-License-Identifier: Apache-2.0
#include "formats/cab/reserve.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"

#include <algorithm>

namespace signctl::cab {
namespace {

/// Size of what the second structure says; the rest of it is zeros.
constexpr std::uint64_t kLocatorFields = 8;

/// The first byte from `begin` that is not zero.
std::optional<std::uint64_t> find_stray(const Bytes& bytes, std::uint64_t begin) {
  const auto from =
      bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(begin, bytes.size()));
  const auto found = std::find_if(from, bytes.end(), [](std::uint8_t byte) { return byte != 0; });
  if (found == bytes.end()) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(found - bytes.begin());
}

}  // namespace

Result<Reserve> read_reserve(const ByteSource& source, const formats::CabinetLayout& layout) {
  Reserve reserve;
  SIGNCTL_TRY(reserve.bytes,
              read_bytes(source, layout.reserve(), layout.header_reserve),
              "reading the reserved area");
  const ByteReader reader(reserve.bytes);
  const auto first = reader.u16(0);
  const auto second = reader.u16(2);
  if (!first || !second) {
    reserve.stray = find_stray(reserve.bytes, 0);
    return reserve;
  }
  if (kStructureSizes + *first + *second > reserve.bytes.size() ||
      (*second != 0 && *second != kLocatorSize)) {
    reserve.malformed = true;
    return reserve;
  }
  reserve.first = *first;
  reserve.has_locator = *second == kLocatorSize;
  std::uint64_t covered = reserve.locator();
  if (reserve.has_locator) {
    reserve.signature_offset = reader.u32(covered).value_or(0);
    reserve.signature_size = reader.u32(covered + 4).value_or(0);
    covered += kLocatorFields;
  }
  reserve.stray = find_stray(reserve.bytes, covered);
  return reserve;
}

Bytes prepared_reserve(const Reserve& reserve) {
  Bytes bytes = reserve.bytes;
  bytes.resize(std::max<std::size_t>(bytes.size(),
                                     static_cast<std::size_t>(reserve.locator() + kLocatorSize)));
  bytes[2] = kLocatorSize;
  bytes[3] = 0;
  return bytes;
}

Bytes encode_locator(std::uint32_t offset, std::uint32_t size) {
  Bytes locator;
  put_le(locator, offset);
  put_le(locator, size);
  locator.resize(kLocatorSize);
  return locator;
}

}  // namespace signctl::cab
