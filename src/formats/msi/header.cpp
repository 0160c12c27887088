// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/header.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <string>

namespace signctl::msi {
namespace {

constexpr std::uint64_t kMagic = 0xE11AB1A1E011CFD0;
constexpr std::uint16_t kLittleEndian = 0xFFFE;
constexpr std::uint32_t kMiniShift = 6;
constexpr std::uint32_t kShiftV3 = 9;
constexpr std::uint32_t kShiftV4 = 12;

// Offsets of 2.2.
constexpr std::size_t kMajorAt = 0x1A;
constexpr std::size_t kByteOrderAt = 0x1C;
constexpr std::size_t kShiftAt = 0x1E;
constexpr std::size_t kMiniShiftAt = 0x20;
constexpr std::size_t kDirectoryCountAt = 0x28;
constexpr std::size_t kFatCountAt = 0x2C;
constexpr std::size_t kDirectoryAt = 0x30;
constexpr std::size_t kCutoffAt = 0x38;
constexpr std::size_t kMinifatAt = 0x3C;
constexpr std::size_t kMinifatCountAt = 0x40;
constexpr std::size_t kDifatAt = 0x44;
constexpr std::size_t kDifatCountAt = 0x48;
constexpr std::size_t kDifatArrayAt = 0x4C;

Error malformed(std::string message) {
  return {ErrorKind::input, "the compound file header is malformed: " + std::move(message)};
}

void put_u32(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  Bytes field;
  put_le(field, value);
  std::copy(field.begin(), field.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

bool shift_fits(std::uint16_t major, std::uint16_t shift) {
  return (major == 3 && shift == kShiftV3) || (major == 4 && shift == kShiftV4);
}

}  // namespace

bool looks_like_compound_file(ByteView head) {
  const ByteReader reader(head);
  return reader.u64(0) == kMagic && reader.u16(kByteOrderAt) == kLittleEndian &&
         shift_fits(reader.u16(kMajorAt).value_or(0), reader.u16(kShiftAt).value_or(0));
}

Result<Header> parse_header(ByteView bytes) {
  const ByteReader reader(bytes);
  if (bytes.size() < kHeaderSize || reader.u64(0) != kMagic) {
    return Error{ErrorKind::input, "the file is not an OLE compound file"};
  }
  const auto u16 = [&reader](std::size_t at) { return reader.u16(at).value_or(0); };
  const auto u32 = [&reader](std::size_t at) { return reader.u32(at).value_or(0); };
  if (u16(kByteOrderAt) != kLittleEndian) {
    return malformed("the byte order mark is wrong");
  }
  if (!shift_fits(u16(kMajorAt), u16(kShiftAt))) {
    return malformed("version " + std::to_string(u16(kMajorAt)) + " with a sector shift of " +
                     std::to_string(u16(kShiftAt)));
  }
  if (u16(kMiniShiftAt) != kMiniShift || u32(kCutoffAt) != kMiniCutoff) {
    return malformed("mini sectors are not 64 bytes, or their streams not below 4096");
  }
  Header header;
  header.major_version = u16(kMajorAt);
  header.sector_shift = u16(kShiftAt);
  header.directory_sectors = u32(kDirectoryCountAt);
  header.fat_sectors = u32(kFatCountAt);
  header.first_directory = u32(kDirectoryAt);
  header.first_minifat = u32(kMinifatAt);
  header.minifat_sectors = u32(kMinifatCountAt);
  header.first_difat = u32(kDifatAt);
  header.difat_sectors = u32(kDifatCountAt);
  for (std::size_t i = 0; i < kHeaderDifat; ++i) {
    header.difat.at(i) = u32(kDifatArrayAt + 4 * i);
  }
  return header;
}

Bytes encode_header(const Header& header, ByteView original) {
  Bytes bytes(original.begin(), original.end());
  put_u32(bytes, kDirectoryCountAt, header.directory_sectors);
  put_u32(bytes, kFatCountAt, header.fat_sectors);
  put_u32(bytes, kDirectoryAt, header.first_directory);
  put_u32(bytes, kMinifatAt, header.first_minifat);
  put_u32(bytes, kMinifatCountAt, header.minifat_sectors);
  put_u32(bytes, kDifatAt, header.first_difat);
  put_u32(bytes, kDifatCountAt, header.difat_sectors);
  for (std::size_t i = 0; i < kHeaderDifat; ++i) {
    put_u32(bytes, kDifatArrayAt + 4 * i, header.difat.at(i));
  }
  return bytes;
}

}  // namespace signctl::msi
