// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The cabinet file format, [MS-CAB]. Offsets are in bytes from the start of the cabinet.
namespace signctl::formats {

// CFHEADER ([MS-CAB] 2.1).
inline constexpr std::uint64_t kCabHeaderSize = 36;
inline constexpr std::uint64_t kCabSizeOffset = 8;
inline constexpr std::uint64_t kCabFilesOffset = 16;
inline constexpr std::uint64_t kCabFlagsOffset = 30;
inline constexpr std::uint16_t kCabHasPrevious = 1;
inline constexpr std::uint16_t kCabHasNext = 2;
inline constexpr std::uint16_t kCabHasReserve = 4;

/// cbCFHeader, cbCFFolder and cbCFData, which stand behind the header when kCabHasReserve is set.
inline constexpr std::uint64_t kCabReserveSizes = 4;

/// CFFOLDER without its reserved bytes.
inline constexpr std::uint64_t kCabFolderSize = 8;

/// A CFDATA block never unpacks to more.
inline constexpr std::uint64_t kCabBlockSize = 32768;

/// A run of compressed blocks (CFFOLDER), in which several files lie one behind the other.
struct CabinetFolder {
  std::uint64_t row{};  ///< Where its CFFOLDER stands.
  std::uint64_t data{};
  std::uint16_t blocks{};
  std::uint16_t compression{};  ///< typeCompress
};

/// The parsed headers of one cabinet.
struct CabinetLayout {
  std::uint64_t source_size{};  ///< Of all that was given, a signature behind the cabinet included.
  std::uint64_t size{};         ///< cbCabinet
  std::uint64_t files{};        ///< coffFiles
  std::uint8_t minor{};
  std::uint8_t major{};
  std::uint16_t file_count{};
  std::uint16_t flags{};
  std::uint16_t set_id{};
  std::uint16_t index{};           ///< iCabinet
  std::uint16_t header_reserve{};  ///< cbCFHeader
  std::uint8_t folder_reserve{};   ///< cbCFFolder
  std::uint8_t data_reserve{};     ///< cbCFData
  std::vector<CabinetFolder> folders;

  [[nodiscard]] bool has_reserve() const { return (flags & kCabHasReserve) != 0; }
  /// Where the reserved bytes of the header begin, or would begin.
  [[nodiscard]] std::uint64_t reserve() const {
    return kCabHeaderSize + (has_reserve() ? kCabReserveSizes : 0);
  }
  /// Where names or folders follow the header.
  [[nodiscard]] std::uint64_t after_reserve() const { return reserve() + header_reserve; }
  /// Where the last CFFOLDER ends.
  [[nodiscard]] std::uint64_t folders_end() const {
    return folders.empty() ? after_reserve() : folders.back().row + kCabFolderSize + folder_reserve;
  }
  [[nodiscard]] bool is_part_of_set() const {
    return (flags & (kCabHasPrevious | kCabHasNext)) != 0 || index != 0;
  }
};

/// @errors `input` with what is wrong and where; `unsupported` for another version than 1.x.
Result<CabinetLayout> read_cabinet_layout(const ByteSource& source);

/// The refusal for a cabinet whose files continue in another one; success for any other.
Result<void> refuse_cabinet_set(const CabinetLayout& layout);

/// The blocks of one folder, and what they unpack to as they claim.
struct FolderExtent {
  std::uint64_t begin{};
  std::uint64_t end{};
  std::uint64_t unpacked{};
};

/// Walks the headers of all blocks.
///
/// @errors `input` when blocks reach past the end of the cabinet.
Result<std::vector<FolderExtent>> walk_folders(const ByteSource& source,
                                               const CabinetLayout& layout);

/// "folder 2 (bytes 60 to 90) overlaps folder 1 (bytes 44 to 80)": folders that share bytes with
/// each other or with what ends at `headers_end`. Empty when all is well.
[[nodiscard]] std::optional<std::string> find_overlap(const std::vector<FolderExtent>& folders,
                                                      std::uint64_t headers_end);

/// "the blocks end at byte 90, the cabinet at 154": bytes that are no folder, file entry or block,
/// or folders in another order than their data. No such cabinet can be told from one whose reserve
/// sizes, which no signature covers, were changed. Empty when every part begins where the one
/// before it ends.
[[nodiscard]] std::optional<std::string> find_gap(const CabinetLayout& layout,
                                                  const std::vector<FolderExtent>& folders,
                                                  std::uint64_t headers_end);

}  // namespace signctl::formats
