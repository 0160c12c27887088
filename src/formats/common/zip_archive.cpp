// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_archive.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/common/zip_names.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace signctl::zip {
namespace {

/// No deflate stream unpacks to more than 1032 times its size; the rest is for tiny ones.
constexpr std::uint64_t kMaxRatio = 1040;

Error wrong(const Entry& entry, const std::string& what) {
  return {ErrorKind::input, "entry \"" + display_name(entry) + "\": " + what};
}

Result<void> check_entry(const Entry& entry, Strictness strictness) {
  SIGNCTL_CHECK(check_name(entry.name, strictness), "");
  if (strictness == Strictness::package && (entry.flags & kFlagEncrypted) != 0) {
    return Error{ErrorKind::unsupported, "entry \"" + display_name(entry) + "\" is encrypted"};
  }
  if (entry.method == kStored && (entry.flags & kFlagEncrypted) == 0 &&
      entry.size != entry.packed_size) {
    return wrong(entry, "it is stored, but its two sizes differ");
  }
  if (entry.method == kDeflated && entry.size / kMaxRatio > entry.packed_size) {
    return wrong(entry, "it claims to unpack to more than deflate can hold");
  }
  return ok();
}

Result<void> read_directory(const ByteSource& source,
                            Strictness strictness,
                            std::uint64_t count,
                            Archive& archive) {
  SIGNCTL_TRY(const Bytes directory,
              read_bytes(source, archive.directory_offset, archive.directory_size),
              "");
  archive.entries.reserve(static_cast<std::size_t>(
      std::min<std::uint64_t>(count, directory.size() / kCentralHeaderSize)));
  ByteView rest(directory);
  while (!rest.empty()) {
    auto entry = read_central_header(rest);
    if (!entry) {
      return std::move(entry).error().within("reading header " +
                                             std::to_string(archive.entries.size() + 1) +
                                             " of the central directory");
    }
    SIGNCTL_CHECK(check_entry(*entry, strictness), "");
    entry->central_offset = archive.directory_offset + (directory.size() - rest.size());
    rest = rest.subspan(entry->central_size);
    archive.entries.push_back(std::move(*entry));
  }
  if (archive.entries.size() != count) {
    return Error{ErrorKind::input,
                 "the end record counts " + std::to_string(count) + " entries, the directory has " +
                     std::to_string(archive.entries.size())};
  }
  return check_no_duplicates(archive.entries, strictness);
}

/// Compares the fixed part of a local header with the central one.
Result<void> check_local_fields(ByteView header, ByteView extra, const Entry& entry) {
  const ByteReader reader(header);
  if (reader.u16(6) != entry.flags || reader.u16(8) != entry.method) {
    return wrong(entry, "its local header has other flags or another method than the directory");
  }
  std::uint64_t packed_size = *reader.u32(18);
  std::uint64_t size = *reader.u32(22);
  const auto wide = read_extra(extra, {size == kFull32, packed_size == kFull32, false});
  if (!wide) {
    return wrong(entry, "in its local header, " + wide.error().message);
  }
  packed_size = wide->packed_size.value_or(packed_size);
  size = wide->size.value_or(size);
  const std::uint32_t crc = *reader.u32(14);
  const bool late = (entry.flags & kFlagDescriptor) != 0;
  const auto same = [late](std::uint64_t local, std::uint64_t central) {
    return local == central || (late && local == 0);
  };
  if (!same(crc, entry.crc32) || !same(packed_size, entry.packed_size) || !same(size, entry.size)) {
    return wrong(entry, "its local header has another size or checksum than the directory");
  }
  return ok();
}

/// Reads and checks the local header; sets data_offset.
Result<void> read_local_header(const ByteSource& source, std::uint64_t limit, Entry& entry) {
  const std::uint64_t fixed_end = entry.local_offset + kLocalHeaderSize;
  if (entry.local_offset > limit || limit - entry.local_offset < kLocalHeaderSize) {
    return wrong(entry, "its local header reaches into the next record");
  }
  std::array<std::uint8_t, kLocalHeaderSize> header{};
  SIGNCTL_CHECK(source.read_at(entry.local_offset, header), "");
  const ByteReader reader(header);
  if (reader.u32(0) != kLocalSignature) {
    return wrong(entry, "there is no local header at " + std::to_string(entry.local_offset));
  }
  const std::uint64_t name_size = *reader.u16(26);
  const std::uint64_t extra_size = *reader.u16(28);
  if (limit - fixed_end < name_size + extra_size) {
    return wrong(entry, "its local header reaches into the next record");
  }
  SIGNCTL_TRY(const Bytes rest, read_bytes(source, fixed_end, name_size + extra_size), "");
  const ByteView name = ByteView(rest).first(static_cast<std::size_t>(name_size));
  if (as_text(name) != entry.name) {
    return wrong(entry, "its local header has the name \"" + printable(as_text(name)) + "\"");
  }
  SIGNCTL_CHECK(check_local_fields(
                    header, ByteView(rest).subspan(static_cast<std::size_t>(name_size)), entry),
                "");
  entry.data_offset = fixed_end + name_size + extra_size;
  return ok();
}

/// Whether `bytes` is the data descriptor of `entry` (APPNOTE 4.3.9), with or without signature and
/// with sizes of 4 or 8 octets: the length says which.
bool is_descriptor(ByteView bytes, const Entry& entry) {
  const ByteReader reader(bytes);
  const bool with_signature = bytes.size() % 8 == 0;
  const std::uint64_t at = with_signature ? 4 : 0;
  if (with_signature && reader.u32(0) != kDescriptorSignature) {
    return false;
  }
  const bool wide = bytes.size() >= 20;
  const auto number = [&](std::uint64_t offset) {
    return wide ? reader.u64(offset) : std::optional<std::uint64_t>(reader.u32(offset));
  };
  const auto packed = number(at + 4);
  const auto size = number(at + (wide ? 12U : 8U));
  return reader.u32(at) == entry.crc32 && packed == entry.packed_size && size == entry.size;
}

/// Sets end_offset: where the data ends, or the descriptor behind it.
Result<void> find_record_end(const ByteSource& source,
                             std::uint64_t limit,
                             Strictness strictness,
                             Entry& entry) {
  const auto data_end = checked_add(entry.data_offset, entry.packed_size);
  if (!data_end || *data_end > limit) {
    return wrong(entry, "its data reach into the next record");
  }
  entry.end_offset = *data_end;
  if ((entry.flags & kFlagDescriptor) != 0) {
    const std::uint64_t left = limit - *data_end;
    SIGNCTL_TRY(
        const Bytes bytes, read_bytes(source, *data_end, std::min<std::uint64_t>(left, 24)), "");
    // Neither header says how long the descriptor is: makers of packages write 8-octet sizes
    // without a ZIP64 field.
    constexpr std::array<std::size_t, 4> kLengths{24, 16, 20, 12};
    const auto length = std::find_if(kLengths.begin(), kLengths.end(), [&](std::size_t n) {
      const bool allowed = strictness == Strictness::archive ? n <= left : n == left;
      return allowed && is_descriptor(ByteView(bytes).first(n), entry);
    });
    if (length == kLengths.end()) {
      return wrong(entry, "its data descriptor is malformed or says something else");
    }
    entry.end_offset += *length;
  }
  if (strictness == Strictness::package && entry.end_offset != limit) {
    return wrong(
        entry,
        std::to_string(limit - entry.end_offset) + " bytes behind its data belong to no entry");
  }
  return ok();
}

/// Refuses a local header in bytes that belong to no entry: who reads from the front unpacks what
/// the directory does not list.
Result<void> check_gap(const ByteSource& source, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kWindow = std::uint64_t{64} << 10U;
  constexpr std::uint64_t kOverlap = sizeof(kLocalSignature) - 1;
  while (end - begin > kOverlap) {
    const std::uint64_t size = std::min(kWindow, end - begin);
    SIGNCTL_TRY(const Bytes bytes, read_bytes(source, begin, size), "");
    const ByteReader reader(bytes);
    for (std::uint64_t at = 0; at + kOverlap < size; ++at) {
      if (reader.u32(at) == kLocalSignature) {
        return Error{ErrorKind::input,
                     "at " + std::to_string(begin + at) +
                         " there is a local header that the directory does not list"};
      }
    }
    begin += size - kOverlap;
  }
  return ok();
}

Result<void> read_local_records(const ByteSource& source, Strictness strictness, Archive& archive) {
  const std::vector<std::size_t> order = archive.in_file_order();
  const std::uint64_t first =
      order.empty() ? archive.directory_offset : archive.entries[order.front()].local_offset;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Entry& entry = archive.entries[order[i]];
    const std::uint64_t limit = i + 1 < order.size() ? archive.entries[order[i + 1]].local_offset
                                                     : archive.directory_offset;
    SIGNCTL_CHECK(read_local_header(source, limit, entry), "");
    SIGNCTL_CHECK(find_record_end(source, limit, strictness, entry), "");
    SIGNCTL_CHECK(check_gap(source, entry.end_offset, limit), "");
  }
  if (strictness == Strictness::package && first != 0) {
    return Error{ErrorKind::input, std::to_string(first) + " bytes precede the first entry"};
  }
  return check_gap(source, 0, first);
}

}  // namespace

std::optional<std::size_t> Archive::find(std::string_view name) const {
  const auto it = std::find_if(
      entries.begin(), entries.end(), [name](const Entry& entry) { return entry.name == name; });
  return it == entries.end() ? std::nullopt
                             : std::optional(static_cast<std::size_t>(it - entries.begin()));
}

std::vector<std::size_t> Archive::in_file_order() const {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    return entries[a].local_offset < entries[b].local_offset;
  });
  return order;
}

std::string display_name(const Entry& entry) {
  return printable(entry.name);
}

Result<Archive> read_archive(const ByteSource& source, Strictness strictness) {
  SIGNCTL_TRY(EndRecords end, read_end_records(source, strictness), "");
  Archive archive;
  archive.file_size = source.size();
  archive.directory_offset = end.directory_offset;
  archive.directory_size = end.directory_size;
  archive.zip64_end = std::move(end.zip64_end);
  archive.end = std::move(end.end);
  SIGNCTL_CHECK(read_directory(source, strictness, end.count, archive), "");
  SIGNCTL_CHECK(read_local_records(source, strictness, archive), "");
  return archive;
}

}  // namespace signctl::zip
