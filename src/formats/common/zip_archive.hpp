// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// ZIP archives as PKWARE's APPNOTE.TXT 6.3.10 describes them: one part, with or without ZIP64.
namespace signctl::zip {

/// How an entry's bytes are packed (APPNOTE 4.4.5). Others are listed but not unpacked.
inline constexpr std::uint16_t kStored = 0;
inline constexpr std::uint16_t kDeflated = 8;

/// General purpose bits (APPNOTE 4.4.4).
inline constexpr std::uint16_t kFlagEncrypted = 0x2041;  ///< Bits 0, 6 and 13: any encryption.
inline constexpr std::uint16_t kFlagDescriptor = 0x0008;
inline constexpr std::uint16_t kFlagUtf8 = 0x0800;

/// One entry, as the central directory has it, and where its local record lies. Offsets are in the
/// archive, sizes in bytes.
struct Entry {
  std::string name;  ///< Octets as stored, `/` between components; see check_name().
  std::uint16_t flags{};
  std::uint16_t method{};
  std::uint32_t crc32{};
  std::uint64_t packed_size{};
  std::uint64_t size{};            ///< Unpacked.
  std::uint64_t local_offset{};    ///< Of the local header.
  std::uint64_t data_offset{};     ///< Of the packed bytes.
  std::uint64_t end_offset{};      ///< Where the local record ends, its data descriptor included.
  std::uint64_t central_offset{};  ///< Of the central header.
  std::uint32_t central_size{};    ///< Of the central header with name, extra field and comment.

  [[nodiscard]] bool is_folder() const { return !name.empty() && name.back() == '/'; }
  [[nodiscard]] std::uint64_t local_header_size() const { return data_offset - local_offset; }
};

/// The directory of an archive whose local records have been compared with it.
struct Archive {
  std::vector<Entry> entries;  ///< In the order of the central directory.
  std::uint64_t directory_offset{};
  std::uint64_t directory_size{};
  Bytes zip64_end;  ///< ZIP64 end record and its locator as stored; empty when there are none.
  Bytes end;        ///< End record with its comment, as stored.
  std::uint64_t file_size{};

  /// Position of the entry with exactly that name.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  /// Positions in the order of the local records.
  [[nodiscard]] std::vector<std::size_t> in_file_order() const;
};

/// How much an archive may depart from what every reader understands alike.
enum class Strictness {
  /// Signed packages: the local records fill the file from 0 to the directory without a gap, no
  /// two names are alike in any case, no comment, no encryption, names that are safe everywhere.
  package,
  /// Archives as people make them: gaps, a comment, encrypted entries and names that differ only
  /// in case are allowed. What readers could understand differently is refused all the same.
  archive,
};

/// Most entries, and largest central directory, that are read at all.
inline constexpr std::uint64_t kMaxEntries = 200'000;
inline constexpr std::uint64_t kMaxDirectorySize = std::uint64_t{64} << 20U;

/// Reads the central directory and every local header.
///
/// Checked: one end record, at the very end; ZIP64 records that agree with it; a directory that
/// fills its place exactly; local headers, data descriptors and central headers that say the same;
/// records that do not overlap; names (check_name()), none twice; sizes that deflate can reach.
///
/// @errors `input` for anything else, with the entry's name; `unsupported` for archives in several
///         parts, and for encrypted entries of a package.
Result<Archive> read_archive(const ByteSource& source, Strictness strictness);

/// An entry's name for people, and as a path in UTF-8: what is not UTF-8 comes as \xNN.
[[nodiscard]] std::string display_name(const Entry& entry);

}  // namespace signctl::zip
