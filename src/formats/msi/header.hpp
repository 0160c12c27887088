// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

/// OLE compound files that Windows Installer reads. Clause numbers are those of [MS-CFB], "Compound
/// File Binary File Format"; docs/formats/msi.md has the map.
namespace signctl::msi {

// Special values of the FAT, 2.1.
inline constexpr std::uint32_t kMaxRegularSector = 0xFFFFFFFA;
inline constexpr std::uint32_t kDifatSector = 0xFFFFFFFC;
inline constexpr std::uint32_t kFatSector = 0xFFFFFFFD;
inline constexpr std::uint32_t kEndOfChain = 0xFFFFFFFE;
inline constexpr std::uint32_t kFreeSector = 0xFFFFFFFF;
/// "No stream" in the links of the directory, 2.6.1.
inline constexpr std::uint32_t kNoStream = 0xFFFFFFFF;

inline constexpr std::size_t kHeaderSize = 512;
inline constexpr std::uint64_t kMiniSectorSize = 64;
/// Streams below this live in the mini stream.
inline constexpr std::uint64_t kMiniCutoff = 4096;
inline constexpr std::size_t kHeaderDifat = 109;
/// Files with more sectors are refused, which bounds what has to be remembered of one: 32 GiB in
/// sectors of 512 bytes, 256 GiB in sectors of 4096.
inline constexpr std::uint64_t kMaxSectors = std::uint64_t{1} << 26U;
/// The sector of a version 4 file that holds the bytes which lock regions in files over 2 GiB,
/// 0x7FFFFF00 to 0x7FFFFFFF (2.1): allocated, a chain of its own, without data.
inline constexpr std::uint32_t kRangeLockSector = 0x7FFFE;

/// The fields of 2.2 that matter.
struct Header {
  std::uint16_t major_version{};
  std::uint32_t sector_shift{};
  std::uint32_t directory_sectors{};  ///< Version 4 only, 0 in version 3.
  std::uint32_t fat_sectors{};
  std::uint32_t first_directory{};
  std::uint32_t first_minifat{};
  std::uint32_t minifat_sectors{};
  std::uint32_t first_difat{};
  std::uint32_t difat_sectors{};
  std::array<std::uint32_t, kHeaderDifat> difat{};

  [[nodiscard]] std::uint64_t sector_size() const { return std::uint64_t{1} << sector_shift; }
  /// FAT entries in one sector.
  [[nodiscard]] std::uint32_t per_sector() const { return 1U << (sector_shift - 2U); }
  /// Where sector `number` starts in the file: the header takes one sector.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t number) const {
    return (number + 1) << sector_shift;
  }
};

/// Whether `head` starts like a compound file of a version that exists; no more than its first 32
/// bytes are looked at.
[[nodiscard]] bool looks_like_compound_file(ByteView head);

/// @errors `input` for what is not a compound file, or has fields that no version allows.
Result<Header> parse_header(ByteView bytes);

/// `original` (kHeaderSize bytes) with the fields of `header` in it.
[[nodiscard]] Bytes encode_header(const Header& header, ByteView original);

}  // namespace signctl::msi
