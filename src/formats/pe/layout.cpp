// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/layout.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <string_view>

namespace signctl::pe {
namespace {

constexpr std::uint64_t kDosHeaderSize = 0x40;
constexpr std::uint64_t kFileHeaderSize = 24;  // "PE\0\0" and the COFF file header
constexpr std::uint64_t kSectionRowSize = 40;
constexpr std::uint32_t kSignature = 0x00004550;  // "PE\0\0"
constexpr std::uint16_t kDosMagic = 0x5A4D;       // "MZ"
constexpr std::uint16_t kMagic32 = 0x10B;
constexpr std::uint16_t kMagic32Plus = 0x20B;
constexpr std::uint16_t kMagicRom = 0x107;
constexpr std::uint32_t kSecurityDirectory = 4;
constexpr std::uint32_t kClrDirectory = 14;
constexpr std::uint32_t kMaxDirectories = 16;

Error malformed(std::string message, std::string hint = {}) {
  return {ErrorKind::input, std::move(message), std::move(hint)};
}

Error truncated(std::string_view what) {
  return malformed("the file ends inside the " + std::string(what),
                   "it is truncated or not a complete PE image");
}

/// Offsets inside the optional header that differ between the two variants.
struct Offsets {
  std::uint64_t directory_count;
  std::uint64_t directories;
};

constexpr Offsets offsets_of(Width width) {
  return width == Width::pe32 ? Offsets{92, 96} : Offsets{108, 112};
}

/// `size` bytes at `offset`, or "the file ends inside" `what`.
Result<Bytes> read_header(const ByteSource& source,
                          std::uint64_t offset,
                          std::uint64_t size,
                          std::string_view what) {
  const auto end = checked_add(offset, size);
  if (!end || *end > source.size()) {
    return truncated(what);
  }
  return read_bytes(source, offset, size);
}

Result<std::uint64_t> read_pe_offset(const ByteSource& source) {
  SIGNCTL_TRY(const Bytes dos,
              read_header(source, 0, kDosHeaderSize, "MS-DOS header"),
              "reading the MS-DOS header");
  const ByteReader reader(dos);
  if (reader.u16(0) != kDosMagic) {
    return malformed("the file does not start with \"MZ\"");
  }
  const std::uint64_t pe_offset = reader.u32(0x3C).value_or(0);
  if (pe_offset < kDosHeaderSize) {
    return malformed("e_lfanew points inside the MS-DOS header (" + std::to_string(pe_offset) +
                     ")");
  }
  if (pe_offset > source.size() - kFileHeaderSize) {
    return malformed("e_lfanew points past the end of the file",
                     "a 16-bit MS-DOS program has no PE header and cannot be signed");
  }
  return pe_offset;
}

/// What the COFF file header says about the size of the rest.
struct FileHeader {
  std::uint64_t optional_size{};
  std::uint64_t section_count{};
};

Result<FileHeader> read_file_header(const ByteSource& source, Layout& layout) {
  SIGNCTL_TRY(const Bytes bytes,
              read_header(source, layout.pe_offset, kFileHeaderSize, "PE file header"),
              "reading the PE file header");
  const ByteReader reader(bytes);
  if (reader.u32(0) != kSignature) {
    return malformed("there is no PE signature at offset " + std::to_string(layout.pe_offset),
                     "a 16-bit MS-DOS program has no PE header and cannot be signed");
  }
  layout.machine = reader.u16(4).value_or(0);
  layout.characteristics = reader.u16(22).value_or(0);
  return FileHeader{reader.u16(20).value_or(0), reader.u16(6).value_or(0)};
}

Result<Width> read_width(const ByteReader& optional_header) {
  const auto magic = optional_header.u16(0);
  if (!magic) {
    return malformed("SizeOfOptionalHeader is too small for an image");
  }
  switch (*magic) {
    case kMagic32:
      return Width::pe32;
    case kMagic32Plus:
      return Width::pe32_plus;
    case kMagicRom:
      return Error{ErrorKind::unsupported, "ROM images cannot be signed"};
    default:
      return malformed("the optional header has an unknown magic number (" +
                       std::to_string(*magic) + ")");
  }
}

/// Where the security directory entry is inside the optional header, once it is sure to be there.
Result<std::uint64_t> find_security_entry(const ByteReader& optional_header, Width width) {
  const Offsets offsets = offsets_of(width);
  const auto count = optional_header.u32(offsets.directory_count);
  if (!count) {
    return malformed("SizeOfOptionalHeader is too small for the fixed part of the header");
  }
  if (*count <= kSecurityDirectory) {
    return Error{ErrorKind::unsupported,
                 "the image has no security directory (NumberOfRvaAndSizes is " +
                     std::to_string(*count) + ")",
                 "it must be linked with at least 5 data directories to be signed"};
  }
  const std::uint64_t entry = offsets.directories + kSecurityDirectory * kDirectorySize;
  if (!optional_header.slice(entry, kDirectorySize)) {
    return malformed("SizeOfOptionalHeader is too small for the security directory");
  }
  return entry;
}

Result<void> parse_optional_header(ByteView bytes, Layout& layout) {
  const ByteReader reader(bytes);
  SIGNCTL_TRY(layout.width, read_width(reader), "");
  SIGNCTL_TRY(const std::uint64_t entry, find_security_entry(reader, layout.width), "");
  // The security entry is the last of these fields, so none of the reads below can fail.
  const std::uint64_t start = layout.pe_offset + kFileHeaderSize;
  layout.section_alignment = reader.u32(32).value_or(0);
  layout.file_alignment = reader.u32(36).value_or(0);
  layout.headers_size = reader.u32(60).value_or(0);
  layout.checksum = reader.u32(64).value_or(0);
  layout.checksum_offset = start + 64;
  layout.subsystem = reader.u16(68).value_or(0);
  layout.security_offset = start + entry;
  layout.table_offset = reader.u32(entry).value_or(0);
  layout.table_size = reader.u32(entry + 4).value_or(0);

  const Offsets offsets = offsets_of(layout.width);
  const std::uint32_t directories =
      std::min(reader.u32(offsets.directory_count).value_or(0), kMaxDirectories);
  if (directories > kClrDirectory) {
    const std::uint64_t clr = offsets.directories + kClrDirectory * kDirectorySize;
    layout.dotnet = reader.u32(clr).value_or(0) != 0 && reader.u32(clr + 4).value_or(0) != 0;
  }
  return ok();
}

std::vector<Section> parse_sections(ByteView table) {
  const ByteReader reader(table);
  std::vector<Section> sections;
  sections.reserve(table.size() / kSectionRowSize);
  for (std::uint64_t row = 0; row + kSectionRowSize <= table.size(); row += kSectionRowSize) {
    Section section;
    const std::string_view name = as_text(reader.slice(row, 8).value_or(ByteView{}));
    section.name = printable(name.substr(0, name.find_last_not_of('\0') + 1));
    section.virtual_size = reader.u32(row + 8).value_or(0);
    section.virtual_address = reader.u32(row + 12).value_or(0);
    section.raw_size = reader.u32(row + 16).value_or(0);
    section.raw_offset = reader.u32(row + 20).value_or(0);
    sections.push_back(std::move(section));
  }
  return sections;
}

Result<void> check_headers_size(const Layout& layout, std::uint64_t section_table_end) {
  if (layout.headers_size < section_table_end) {
    return malformed("SizeOfHeaders (" + std::to_string(layout.headers_size) +
                     ") does not cover the section table, which ends at " +
                     std::to_string(section_table_end));
  }
  if (layout.headers_size > layout.file_size) {
    return malformed("SizeOfHeaders (" + std::to_string(layout.headers_size) +
                     ") is larger than the file (" + std::to_string(layout.file_size) + " bytes)");
  }
  return ok();
}

Result<void> check_table_place(const Layout& layout) {
  if (layout.table_offset == 0 && layout.table_size == 0) {
    return ok();
  }
  const std::string where = "the security directory (offset " +
                            std::to_string(layout.table_offset) + ", size " +
                            std::to_string(layout.table_size) + ")";
  if (layout.table_size == 0) {
    return malformed(where + " has an offset but no size");
  }
  if (layout.table_offset < layout.headers_size) {
    return malformed(where + " points into the headers, which end at " +
                     std::to_string(layout.headers_size));
  }
  // Both fields have 32 bits, so the sum cannot wrap in 64.
  if (layout.table_end() > layout.file_size) {
    return malformed(where + " reaches past the end of the file (" +
                         std::to_string(layout.file_size) + " bytes)",
                     "the file was cut short after it was signed");
  }
  return ok();
}

}  // namespace

Result<Layout> read_layout(const ByteSource& source) {
  Layout layout;
  layout.file_size = source.size();
  if (layout.file_size > UINT32_MAX) {
    return Error{ErrorKind::unsupported,
                 "the file is 4 GiB or larger; the security directory has 32-bit offsets"};
  }
  SIGNCTL_TRY(layout.pe_offset, read_pe_offset(source), "");
  SIGNCTL_TRY(const FileHeader header, read_file_header(source, layout), "");

  const std::uint64_t optional_start = layout.pe_offset + kFileHeaderSize;
  SIGNCTL_TRY(const Bytes optional_header,
              read_header(source, optional_start, header.optional_size, "optional header"),
              "reading the optional header");
  SIGNCTL_CHECK(parse_optional_header(optional_header, layout), "");

  const std::uint64_t sections_start = optional_start + header.optional_size;
  const std::uint64_t sections_size = header.section_count * kSectionRowSize;
  SIGNCTL_CHECK(check_headers_size(layout, sections_start + sections_size), "");
  SIGNCTL_TRY(const Bytes section_table,
              read_header(source, sections_start, sections_size, "section table"),
              "reading the section table");
  layout.sections = parse_sections(section_table);
  SIGNCTL_CHECK(check_table_place(layout), "");
  return layout;
}

}  // namespace signctl::pe
