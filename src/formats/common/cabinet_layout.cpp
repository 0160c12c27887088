// SPDX-License-Identifier: Apache-2.0
#include "formats/common/cabinet_layout.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"

#include <algorithm>
#include <numeric>

namespace signctl::formats {
namespace {

constexpr std::uint32_t kMagic = 0x4643534D;  // "MSCF"
constexpr std::uint64_t kBlockHeaderSize = 8;
/// Of a name with its zero ([MS-CAB] 2.1, szCabinetPrev).
constexpr std::uint64_t kLongestName = 256;

Error malformed(std::string what) {
  return {ErrorKind::input, "the cabinet is malformed: " + std::move(what)};
}

Result<CabinetLayout> read_header(const ByteSource& source) {
  if (source.size() < kCabHeaderSize) {
    return malformed("it ends within its header");
  }
  SIGNCTL_TRY(const Bytes head, read_bytes(source, 0, kCabHeaderSize), "reading the header");
  const ByteReader reader(head);
  if (reader.u32(0) != kMagic) {
    return malformed("it does not start with MSCF");
  }
  CabinetLayout layout;
  layout.source_size = source.size();
  layout.size = reader.u32(kCabSizeOffset).value_or(0);
  layout.files = reader.u32(kCabFilesOffset).value_or(0);
  layout.minor = reader.u8(24).value_or(0);
  layout.major = reader.u8(25).value_or(0);
  layout.folders.resize(reader.u16(26).value_or(0));
  layout.file_count = reader.u16(28).value_or(0);
  layout.flags = reader.u16(kCabFlagsOffset).value_or(0);
  layout.set_id = reader.u16(32).value_or(0);
  layout.index = reader.u16(34).value_or(0);
  if (layout.major != 1) {
    return Error{ErrorKind::unsupported,
                 "the cabinet is of version " + std::to_string(layout.major) + "." +
                     std::to_string(layout.minor) + "; 1.3 is the one that is known"};
  }
  if (layout.size > source.size()) {
    return malformed("it says it has " + std::to_string(layout.size) + " bytes, but there are " +
                     std::to_string(source.size()));
  }
  if (layout.size < kCabHeaderSize) {
    return malformed("it says it has " + std::to_string(layout.size) +
                     " bytes, less than its header");
  }
  return layout;
}

Result<void> read_reserve_sizes(const ByteSource& source, CabinetLayout& layout) {
  if (!layout.has_reserve()) {
    return ok();
  }
  if (layout.size < kCabHeaderSize + kCabReserveSizes) {
    return malformed("it ends within the sizes of its reserved areas");
  }
  SIGNCTL_TRY(const Bytes sizes, read_bytes(source, kCabHeaderSize, kCabReserveSizes), "");
  const ByteReader reader(sizes);
  layout.header_reserve = reader.u16(0).value_or(0);
  layout.folder_reserve = reader.u8(2).value_or(0);
  layout.data_reserve = reader.u8(3).value_or(0);
  if (layout.after_reserve() > layout.size) {
    return malformed("its reserved area of " + std::to_string(layout.header_reserve) +
                     " bytes reaches past its end");
  }
  return ok();
}

/// Where the zero-terminated name at `begin` ends, its zero included.
Result<std::uint64_t> name_end(const ByteSource& source,
                               const CabinetLayout& layout,
                               std::uint64_t begin) {
  const std::uint64_t room = std::min(kLongestName, layout.size - begin);
  SIGNCTL_TRY(const Bytes bytes, read_bytes(source, begin, room), "");
  const auto zero = std::find(bytes.begin(), bytes.end(), 0);
  if (zero == bytes.end()) {
    return malformed("the name of a neighbour in its set, at offset " + std::to_string(begin) +
                     ", has no end");
  }
  return begin + static_cast<std::uint64_t>(zero - bytes.begin()) + 1;
}

/// Where the CFFOLDER rows begin: behind the names of the neighbours.
Result<std::uint64_t> find_folders(const ByteSource& source, const CabinetLayout& layout) {
  std::uint64_t position = layout.after_reserve();
  for (const std::uint16_t flag : {kCabHasPrevious, kCabHasNext}) {
    for (int name = 0; name < 2 && (layout.flags & flag) != 0; ++name) {
      SIGNCTL_TRY(position, name_end(source, layout, position), "");
    }
  }
  return position;
}

Result<void> read_folders(const ByteSource& source, CabinetLayout& layout) {
  SIGNCTL_TRY(const std::uint64_t begin, find_folders(source, layout), "");
  const std::uint64_t row_size = kCabFolderSize + layout.folder_reserve;
  const std::uint64_t end = begin + row_size * layout.folders.size();
  if (end > layout.size) {
    return malformed("its " + std::to_string(layout.folders.size()) +
                     " folder entries reach past its end");
  }
  if (layout.files < end || layout.files > layout.size) {
    return malformed("its file entries begin at offset " + std::to_string(layout.files) +
                     ", not between the folder entries and its end");
  }
  SIGNCTL_TRY(const Bytes rows, read_bytes(source, begin, end - begin), "reading the folders");
  const ByteReader reader(rows);
  for (std::size_t i = 0; i < layout.folders.size(); ++i) {
    CabinetFolder& folder = layout.folders[i];
    const std::uint64_t row = i * row_size;
    folder.row = begin + row;
    folder.data = reader.u32(row).value_or(0);
    folder.blocks = reader.u16(row + 4).value_or(0);
    folder.compression = reader.u16(row + 6).value_or(0);
    if (folder.data > layout.size) {
      return malformed("the data of folder " + std::to_string(i + 1) + " begin at offset " +
                       std::to_string(folder.data) + ", past its end");
    }
  }
  return ok();
}

/// One folder's blocks, header by header ([MS-CAB] 2.4).
Result<FolderExtent> walk_folder(const ByteSource& source,
                                 const CabinetLayout& layout,
                                 const CabinetFolder& folder,
                                 const std::string& name) {
  FolderExtent extent{folder.data, folder.data, 0};
  for (std::uint16_t block = 0; block < folder.blocks; ++block) {
    const std::string what = "block " + std::to_string(block + 1) + " of " + name;
    if (layout.size - extent.end < kBlockHeaderSize + layout.data_reserve) {
      return malformed(what + " begins at offset " + std::to_string(extent.end) +
                       ", where no room is left");
    }
    SIGNCTL_TRY(const Bytes head, read_bytes(source, extent.end, kBlockHeaderSize), what);
    const ByteReader reader(head);
    const std::uint64_t packed = reader.u16(4).value_or(0);
    const std::uint64_t unpacked = reader.u16(6).value_or(0);
    extent.end += kBlockHeaderSize + layout.data_reserve;
    if (packed > layout.size - extent.end) {
      return malformed(what + " reaches past the end of the cabinet");
    }
    if (unpacked > kCabBlockSize) {
      return malformed(what + " claims to unpack to " + std::to_string(unpacked) +
                       " bytes; 32768 is the most");
    }
    extent.end += packed;
    extent.unpacked += unpacked;
  }
  return extent;
}

std::string extent_text(const FolderExtent& extent) {
  return "(bytes " + std::to_string(extent.begin) + " to " + std::to_string(extent.end) + ")";
}

}  // namespace

Result<CabinetLayout> read_cabinet_layout(const ByteSource& source) {
  SIGNCTL_TRY(CabinetLayout layout, read_header(source), "");
  SIGNCTL_CHECK(read_reserve_sizes(source, layout), "");
  SIGNCTL_CHECK(read_folders(source, layout), "");
  return layout;
}

Result<void> refuse_cabinet_set(const CabinetLayout& layout) {
  if (!layout.is_part_of_set()) {
    return ok();
  }
  return Error{
      ErrorKind::unsupported,
      "the cabinet is number " + std::to_string(layout.index + 1) + " of a set of several cabinets",
      "sets are not supported, because signing tools disagree on their digest: build one "
      "cabinet (makecab: MaxDiskSize=0)"};
}

Result<std::vector<FolderExtent>> walk_folders(const ByteSource& source,
                                               const CabinetLayout& layout) {
  std::vector<FolderExtent> extents;
  for (std::size_t i = 0; i < layout.folders.size(); ++i) {
    const std::string name = "folder " + std::to_string(i + 1);
    SIGNCTL_TRY(
        const FolderExtent extent, walk_folder(source, layout, layout.folders[i], name), "");
    extents.push_back(extent);
  }
  return extents;
}

std::optional<std::string> find_overlap(const std::vector<FolderExtent>& folders,
                                        std::uint64_t headers_end) {
  std::vector<std::size_t> order(folders.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&folders](std::size_t a, std::size_t b) {
    return folders[a].begin < folders[b].begin;
  });
  std::uint64_t end = headers_end;
  std::string before = "the headers (up to byte " + std::to_string(headers_end) + ")";
  for (const std::size_t i : order) {
    const FolderExtent& folder = folders[i];
    if (folder.begin == folder.end) {
      continue;
    }
    const std::string name = "folder " + std::to_string(i + 1) + " " + extent_text(folder);
    if (folder.begin < end) {
      return name + " overlaps " + before;
    }
    end = folder.end;
    before = name;
  }
  return std::nullopt;
}

std::optional<std::string> find_gap(const CabinetLayout& layout,
                                    const std::vector<FolderExtent>& folders,
                                    std::uint64_t headers_end) {
  const auto place = [](std::uint64_t offset) { return std::to_string(offset); };
  if (layout.files != layout.folders_end()) {
    return "the folder entries end at byte " + place(layout.folders_end()) +
           ", but the file entries begin at " + place(layout.files);
  }
  std::uint64_t end = headers_end;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const FolderExtent& folder = folders[i];
    if (folder.begin == folder.end) {
      continue;
    }
    if (folder.begin != end) {
      return "folder " + std::to_string(i + 1) + " " + extent_text(folder) +
             " does not begin where what is before it ends, at byte " + place(end);
    }
    end = folder.end;
  }
  if (end != layout.size) {
    return "the last block ends at byte " + place(end) + ", but the cabinet at " +
           place(layout.size);
  }
  return std::nullopt;
}

}  // namespace signctl::formats
