// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

// The records of a ZIP archive, octet by octet. For the reader and the writer in this folder.
namespace signctl::zip {

inline constexpr std::uint32_t kLocalSignature = 0x04034B50;
inline constexpr std::uint32_t kCentralSignature = 0x02014B50;
inline constexpr std::uint32_t kDescriptorSignature = 0x08074B50;
inline constexpr std::uint32_t kEndSignature = 0x06054B50;
inline constexpr std::uint32_t kZip64EndSignature = 0x06064B50;
inline constexpr std::uint32_t kZip64LocatorSignature = 0x07064B50;

inline constexpr std::uint64_t kLocalHeaderSize = 30;
inline constexpr std::uint64_t kCentralHeaderSize = 46;
inline constexpr std::uint64_t kEndSize = 22;
inline constexpr std::uint64_t kZip64EndSize = 56;
inline constexpr std::uint64_t kZip64LocatorSize = 20;

inline constexpr std::uint16_t kFull16 = 0xFFFF;
inline constexpr std::uint32_t kFull32 = 0xFFFFFFFF;
inline constexpr std::uint16_t kZip64Extra = 0x0001;

/// What the end records say of the directory.
struct EndRecords {
  std::uint64_t count{};
  std::uint64_t directory_offset{};
  std::uint64_t directory_size{};
  Bytes zip64_end;  ///< As stored, with the locator; empty when there are none.
  Bytes end;        ///< As stored.
};

/// Finds and checks the end records. They end the file.
Result<EndRecords> read_end_records(const ByteSource& source, Strictness strictness);

/// `records` for a directory of `count` entries and `size` bytes at `offset`, in the same style:
/// fields that were saturated stay so while there are ZIP64 records, which are added when needed.
/// Disk numbers become 0.
[[nodiscard]] Bytes encode_end_records(const Archive& archive,
                                       std::uint64_t count,
                                       std::uint64_t size,
                                       std::uint64_t offset);

/// The 64-bit values of a ZIP64 extra field (APPNOTE 4.5.3): present are those whose 32-bit field
/// is saturated, in this order.
struct Zip64Values {
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> packed_size;
  std::optional<std::uint64_t> local_offset;
  std::uint64_t local_offset_at{};  ///< Of that value within the extra field.
};

/// Which 32-bit fields are saturated.
struct Saturated {
  bool size{false};
  bool packed_size{false};
  bool local_offset{false};
};

/// Reads the ZIP64 part of an extra field; checks that the whole field is well-formed.
Result<Zip64Values> read_extra(ByteView extra, const Saturated& saturated);

/// Reads one central header at the start of `bytes`. `central_offset` is left to the caller.
Result<Entry> read_central_header(ByteView bytes);

/// A central header as stored, pointing to a local header at `offset`.
[[nodiscard]] Bytes relocate_central_header(ByteView header, std::uint64_t offset);

/// A local header, and the central header that belongs to it, for an entry without descriptor.
/// Only name, flags, method, crc32, the sizes and local_offset of `entry` are used.
[[nodiscard]] Bytes encode_local_header(const Entry& entry, std::uint32_t dos_time);
[[nodiscard]] Bytes encode_central_header(const Entry& entry, std::uint32_t dos_time);

}  // namespace signctl::zip
