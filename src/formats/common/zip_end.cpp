// SPDX-License-Identifier: Apache-2.0
// Finding the end of a ZIP archive. A comment of up to 64 KiB may follow the end record's fields,
// so the record is searched for from behind; whatever lets two readers find two different records
// is refused.
#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <utility>

namespace signctl::zip {
namespace {

Error malformed(std::string what) {
  return {ErrorKind::input, std::move(what)};
}

/// The position of the end record in `tail`, the last bytes of the file.
Result<std::uint64_t> find_end(ByteView tail) {
  const ByteReader reader(tail);
  std::optional<std::uint64_t> found;
  std::optional<std::uint64_t> other_end;
  for (std::uint64_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (reader.u32(at) != kEndSignature) {
      continue;
    }
    const std::uint64_t end = at + kEndSize + *reader.u16(at + 20);
    if (end != tail.size()) {
      other_end = other_end.value_or(end);
    } else if (std::exchange(found, at)) {
      return malformed("the archive has two end records, of which readers may choose either");
    }
  }
  if (found) {
    return *found;
  }
  if (other_end && *other_end < tail.size()) {
    return malformed(std::to_string(tail.size() - *other_end) +
                     " bytes follow the end of the archive");
  }
  return malformed("the archive has no end record: it is cut off or no ZIP archive");
}

/// A field of the end record against its ZIP64 twin: saturated or equal.
bool agree(std::uint64_t narrow, std::uint64_t full, std::uint64_t wide) {
  return narrow == full || narrow == wide;
}

/// Reads the ZIP64 records before the end record at `end_at`, if there are any.
Result<void> read_zip64(const ByteSource& source, std::uint64_t end_at, EndRecords& records) {
  if (end_at < kZip64LocatorSize + kZip64EndSize) {
    return ok();
  }
  const std::uint64_t record_at = end_at - kZip64LocatorSize - kZip64EndSize;
  SIGNCTL_TRY(Bytes bytes, read_bytes(source, record_at, kZip64LocatorSize + kZip64EndSize), "");
  const ByteReader reader(bytes);
  if (reader.u32(kZip64EndSize) != kZip64LocatorSignature) {
    return ok();
  }
  if (reader.u32(0) != kZip64EndSignature || reader.u64(4) != kZip64EndSize - 12 ||
      reader.u64(kZip64EndSize + 8) != record_at) {
    return malformed("the ZIP64 end record is not right before its locator");
  }
  if (reader.u32(16) != 0U || reader.u32(20) != 0U || reader.u32(kZip64EndSize + 4) != 0U ||
      *reader.u32(kZip64EndSize + 16) > 1 || reader.u64(24) != reader.u64(32)) {
    return Error{ErrorKind::unsupported, "the archive is one of several parts"};
  }
  const ByteReader end(records.end);
  if (!agree(*end.u16(8), kFull16, *reader.u64(24)) ||
      !agree(*end.u16(10), kFull16, *reader.u64(32)) ||
      !agree(*end.u32(12), kFull32, *reader.u64(40)) ||
      !agree(*end.u32(16), kFull32, *reader.u64(48))) {
    return malformed("the end record and the ZIP64 end record disagree");
  }
  records.count = *reader.u64(32);
  records.directory_size = *reader.u64(40);
  records.directory_offset = *reader.u64(48);
  records.zip64_end = std::move(bytes);
  return ok();
}

Result<void> check_disks(const EndRecords& records) {
  const ByteReader end(records.end);
  const auto fits = [&](std::uint16_t disk) {
    return disk == 0 || (disk == kFull16 && !records.zip64_end.empty());
  };
  if (!fits(*end.u16(4)) || !fits(*end.u16(6)) || end.u16(8) != end.u16(10)) {
    return Error{ErrorKind::unsupported, "the archive is one of several parts"};
  }
  return ok();
}

}  // namespace

Result<EndRecords> read_end_records(const ByteSource& source, Strictness strictness) {
  constexpr std::uint64_t kLongestComment = 0xFFFF;
  const std::uint64_t size = source.size();
  const std::uint64_t window = std::min(size, kEndSize + kLongestComment);
  SIGNCTL_TRY(const Bytes tail, read_bytes(source, size - window, window), "");
  SIGNCTL_TRY(const std::uint64_t at, find_end(tail), "");
  EndRecords records;
  records.end.assign(tail.begin() + static_cast<std::ptrdiff_t>(at), tail.end());
  if (strictness == Strictness::package && records.end.size() != kEndSize) {
    return malformed("the archive has a comment, which no package has");
  }
  const ByteReader end(records.end);
  records.count = *end.u16(10);
  records.directory_size = *end.u32(12);
  records.directory_offset = *end.u32(16);
  const std::uint64_t end_at = size - records.end.size();
  SIGNCTL_CHECK(read_zip64(source, end_at, records), "");
  SIGNCTL_CHECK(check_disks(records), "");
  const auto directory_end = checked_add(records.directory_offset, records.directory_size);
  if (!directory_end || *directory_end != end_at - records.zip64_end.size()) {
    return malformed("the central directory does not end where the end record begins");
  }
  if (records.count > kMaxEntries || records.directory_size > kMaxDirectorySize) {
    return malformed(
        "the archive has more entries than are read: " + std::to_string(records.count) +
        " in a directory of " + std::to_string(records.directory_size) + " bytes");
  }
  return records;
}

}  // namespace signctl::zip
