// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_records.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <utility>

namespace signctl::zip {
namespace {

/// 4.5 needs ZIP64, 2.0 deflate and folders (APPNOTE 4.4.3.2).
constexpr std::uint16_t kVersionZip64 = 45;
constexpr std::uint16_t kVersionPlain = 20;

Error malformed(std::string what) {
  return {ErrorKind::input, std::move(what)};
}

std::uint32_t low32(std::uint64_t value) {
  return value >= kFull32 ? kFull32 : static_cast<std::uint32_t>(value);
}

void overwrite_u64(Bytes& bytes, std::size_t offset, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8U * i));
  }
}

void overwrite_u32(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8U * i));
  }
}

void overwrite_u16(Bytes& bytes, std::size_t offset, std::uint16_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value);
  bytes[offset + 1] = static_cast<std::uint8_t>(value >> 8U);
}

void append_text(Bytes& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

/// The ZIP64 extra field for the values that do not fit; empty when all do.
Bytes encode_zip64_extra(const Saturated& needed, const Entry& entry) {
  Bytes values;
  if (needed.size) {
    put_le(values, entry.size);
  }
  if (needed.packed_size) {
    put_le(values, entry.packed_size);
  }
  if (needed.local_offset) {
    put_le(values, entry.local_offset);
  }
  if (values.empty()) {
    return values;
  }
  Bytes extra;
  put_le(extra, kZip64Extra);
  put_le(extra, static_cast<std::uint16_t>(values.size()));
  extra.insert(extra.end(), values.begin(), values.end());
  return extra;
}

/// `extra` without its ZIP64 part. It has been read before, so its lengths are right.
Bytes without_zip64(ByteView extra) {
  const ByteReader reader(extra);
  Bytes rest;
  std::uint64_t position = 0;
  while (const auto size = reader.u16(position + 2)) {
    const auto part = reader.slice(position, 4U + *size);
    if (!part) {
      break;
    }
    if (reader.u16(position) != kZip64Extra) {
      rest.insert(rest.end(), part->begin(), part->end());
    }
    position += part->size();
  }
  return rest;
}

/// A central header whose local offset no longer fits 32 bits: its extra field is written anew.
Bytes widen_central_header(ByteView header, Entry entry, std::uint64_t offset) {
  const ByteReader reader(header);
  entry.local_offset = offset;
  const std::size_t name_size = entry.name.size();
  const std::uint16_t extra_size = reader.u16(30).value_or(0);
  const Saturated needed{reader.u32(24) == kFull32, reader.u32(20) == kFull32, offset >= kFull32};
  Bytes extra = encode_zip64_extra(needed, entry);
  const Bytes others = without_zip64(header.subspan(kCentralHeaderSize + name_size, extra_size));
  extra.insert(extra.end(), others.begin(), others.end());

  Bytes result(header.begin(), header.begin() + kCentralHeaderSize);
  overwrite_u32(result, 42, low32(offset));
  overwrite_u16(result, 30, static_cast<std::uint16_t>(extra.size()));
  overwrite_u16(result, 6, std::max(reader.u16(6).value_or(0), kVersionZip64));
  append_text(result, entry.name);
  result.insert(result.end(), extra.begin(), extra.end());
  const ByteView comment = header.subspan(kCentralHeaderSize + name_size + extra_size);
  result.insert(result.end(), comment.begin(), comment.end());
  return result;
}

/// A ZIP64 end record and its locator, for an archive that had none.
Bytes new_zip64_end() {
  Bytes bytes;
  put_le(bytes, kZip64EndSignature);
  put_le(bytes, kZip64EndSize - 12);
  put_le(bytes, kVersionZip64);
  put_le(bytes, kVersionZip64);
  bytes.resize(kZip64EndSize, 0);
  put_le(bytes, kZip64LocatorSignature);
  bytes.resize(kZip64EndSize + 16, 0);
  put_le(bytes, std::uint32_t{1});
  return bytes;
}

}  // namespace

Bytes encode_end_records(const Archive& archive,
                         std::uint64_t count,
                         std::uint64_t size,
                         std::uint64_t offset) {
  Bytes end = archive.end;
  Bytes zip64 = archive.zip64_end;
  const ByteReader stored(archive.end);
  const bool had_zip64 = !zip64.empty();
  if (!had_zip64 && (count >= kFull16 || size >= kFull32 || offset >= kFull32)) {
    zip64 = new_zip64_end();
  }
  const auto saturated16 = [&](std::uint64_t at) {
    return count >= kFull16 || (had_zip64 && stored.u16(at) == kFull16);
  };
  const auto saturated32 = [&](std::uint64_t at, std::uint64_t value) {
    return value >= kFull32 || (had_zip64 && stored.u32(at) == kFull32);
  };
  overwrite_u32(end, 4, 0);
  for (const std::size_t at : {std::size_t{8}, std::size_t{10}}) {
    overwrite_u16(end, at, saturated16(at) ? kFull16 : static_cast<std::uint16_t>(count));
  }
  overwrite_u32(end, 12, saturated32(12, size) ? kFull32 : static_cast<std::uint32_t>(size));
  overwrite_u32(end, 16, saturated32(16, offset) ? kFull32 : static_cast<std::uint32_t>(offset));
  if (!zip64.empty()) {
    overwrite_u64(zip64, 24, count);
    overwrite_u64(zip64, 32, count);
    overwrite_u64(zip64, 40, size);
    overwrite_u64(zip64, 48, offset);
    overwrite_u64(zip64, kZip64EndSize + 8, offset + size);
  }
  zip64.insert(zip64.end(), end.begin(), end.end());
  return zip64;
}

Result<Zip64Values> read_extra(ByteView extra, const Saturated& saturated) {
  const ByteReader reader(extra);
  Zip64Values values;
  bool found = false;
  for (std::uint64_t position = 0; position < extra.size();) {
    const auto id = reader.u16(position);
    const auto size = reader.u16(position + 2);
    if (!id || !size || !reader.slice(position + 4, *size)) {
      return malformed("its extra field is malformed");
    }
    if (*id == kZip64Extra) {
      if (std::exchange(found, true)) {
        return malformed("it has two ZIP64 extra fields");
      }
      std::uint64_t at = position + 4;
      const std::uint64_t end = at + *size;
      const auto take = [&](bool wanted, std::optional<std::uint64_t>& value) {
        if (wanted && at + 8 <= end) {
          value = reader.u64(at);
          at += 8;
        }
      };
      take(saturated.size, values.size);
      take(saturated.packed_size, values.packed_size);
      values.local_offset_at = at;
      take(saturated.local_offset, values.local_offset);
    }
    position += 4U + *size;
  }
  if ((saturated.size && !values.size) || (saturated.packed_size && !values.packed_size) ||
      (saturated.local_offset && !values.local_offset)) {
    return malformed("its ZIP64 extra field is missing or too short");
  }
  return values;
}

Result<Entry> read_central_header(ByteView bytes) {
  const ByteReader reader(bytes);
  const auto head = reader.slice(0, kCentralHeaderSize);
  if (!head || reader.u32(0) != kCentralSignature) {
    return malformed("the central directory is malformed");
  }
  const std::uint64_t name_size = *reader.u16(28);
  const std::uint64_t extra_size = *reader.u16(30);
  const std::uint64_t comment_size = *reader.u16(32);
  const auto name = reader.slice(kCentralHeaderSize, name_size);
  const auto extra = reader.slice(kCentralHeaderSize + name_size, extra_size);
  if (!name || !extra || !reader.slice(kCentralHeaderSize + name_size + extra_size, comment_size)) {
    return malformed("a header of the central directory reaches past its end");
  }
  Entry entry;
  entry.name.assign(name->begin(), name->end());
  entry.flags = *reader.u16(8);
  entry.method = *reader.u16(10);
  entry.crc32 = *reader.u32(16);
  entry.packed_size = *reader.u32(20);
  entry.size = *reader.u32(24);
  entry.local_offset = *reader.u32(42);
  entry.central_size =
      static_cast<std::uint32_t>(kCentralHeaderSize + name_size + extra_size + comment_size);
  const std::uint16_t disk = *reader.u16(34);
  if (disk != 0 && disk != kFull16) {
    return Error{ErrorKind::unsupported, "the archive is one of several parts"};
  }
  SIGNCTL_TRY(
      const Zip64Values wide,
      read_extra(
          *extra,
          {entry.size == kFull32, entry.packed_size == kFull32, entry.local_offset == kFull32}),
      "");
  entry.size = wide.size.value_or(entry.size);
  entry.packed_size = wide.packed_size.value_or(entry.packed_size);
  entry.local_offset = wide.local_offset.value_or(entry.local_offset);
  return entry;
}

Bytes relocate_central_header(ByteView header, std::uint64_t offset) {
  const auto entry = read_central_header(header);
  if (!entry || entry->local_offset == offset) {
    return {header.begin(), header.end()};
  }
  const ByteReader reader(header);
  if (reader.u32(42) != kFull32) {
    if (offset >= kFull32) {
      return widen_central_header(header, *entry, offset);
    }
    Bytes result(header.begin(), header.end());
    overwrite_u32(result, 42, static_cast<std::uint32_t>(offset));
    return result;
  }
  const std::size_t extra_at = kCentralHeaderSize + entry->name.size();
  const Saturated saturated{reader.u32(24) == kFull32, reader.u32(20) == kFull32, true};
  const auto wide = read_extra(header.subspan(extra_at, *reader.u16(30)), saturated);
  Bytes result(header.begin(), header.end());
  if (wide) {
    overwrite_u64(result, extra_at + static_cast<std::size_t>(wide->local_offset_at), offset);
  }
  return result;
}

Bytes encode_local_header(const Entry& entry, std::uint32_t dos_time) {
  // APPNOTE 4.5.3: a local header has both sizes in the ZIP64 field or neither.
  const bool wide = entry.size >= kFull32 || entry.packed_size >= kFull32;
  const Bytes extra = encode_zip64_extra({wide, wide, false}, entry);
  Bytes bytes;
  put_le(bytes, kLocalSignature);
  put_le(bytes, wide ? kVersionZip64 : kVersionPlain);
  put_le(bytes, entry.flags);
  put_le(bytes, entry.method);
  put_le(bytes, dos_time);
  put_le(bytes, entry.crc32);
  put_le(bytes, wide ? kFull32 : static_cast<std::uint32_t>(entry.packed_size));
  put_le(bytes, wide ? kFull32 : static_cast<std::uint32_t>(entry.size));
  put_le(bytes, static_cast<std::uint16_t>(entry.name.size()));
  put_le(bytes, static_cast<std::uint16_t>(extra.size()));
  append_text(bytes, entry.name);
  bytes.insert(bytes.end(), extra.begin(), extra.end());
  return bytes;
}

Bytes encode_central_header(const Entry& entry, std::uint32_t dos_time) {
  const Saturated needed{
      entry.size >= kFull32, entry.packed_size >= kFull32, entry.local_offset >= kFull32};
  const Bytes extra = encode_zip64_extra(needed, entry);
  const std::uint16_t version = extra.empty() ? kVersionPlain : kVersionZip64;
  Bytes bytes;
  put_le(bytes, kCentralSignature);
  put_le(bytes, version);  // made by: FAT attributes, none set
  put_le(bytes, version);
  put_le(bytes, entry.flags);
  put_le(bytes, entry.method);
  put_le(bytes, dos_time);
  put_le(bytes, entry.crc32);
  put_le(bytes, low32(entry.packed_size));
  put_le(bytes, low32(entry.size));
  put_le(bytes, static_cast<std::uint16_t>(entry.name.size()));
  put_le(bytes, static_cast<std::uint16_t>(extra.size()));
  put_le(bytes, std::uint16_t{0});  // comment
  put_le(bytes, std::uint16_t{0});  // disk
  put_le(bytes, std::uint16_t{0});  // internal attributes
  put_le(bytes, std::uint32_t{0});  // external attributes
  put_le(bytes, low32(entry.local_offset));
  append_text(bytes, entry.name);
  bytes.insert(bytes.end(), extra.begin(), extra.end());
  return bytes;
}

}  // namespace signctl::zip
