// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Portable Executable images. Field names and offsets are those of Microsoft's "PE Format"
/// specification; docs/formats/pe.md has the map.
namespace signctl::pe {

/// One row of the section table.
struct Section {
  std::string name;  ///< At most 8 bytes, trailing NULs removed, made printable.
  std::uint32_t virtual_size{};
  std::uint32_t virtual_address{};
  std::uint32_t raw_size{};    ///< SizeOfRawData
  std::uint32_t raw_offset{};  ///< PointerToRawData

  [[nodiscard]] std::uint64_t raw_end() const {
    return std::uint64_t{raw_offset} + std::uint64_t{raw_size};
  }
};

/// Optional header variant.
enum class Width { pe32, pe32_plus };

/// Everything in the headers that signing depends on. When read_layout() has returned one:
/// `headers_size` covers the section table and is inside the file; the checksum and the security
/// directory entry are inside the headers, in this order, and do not touch; the certificate table
/// is either absent (both fields 0) or lies behind the headers and inside the file.
struct Layout {
  std::uint64_t file_size{};
  std::uint64_t pe_offset{};  ///< e_lfanew
  Width width{Width::pe32};
  std::uint16_t machine{};
  std::uint16_t characteristics{};
  std::uint16_t subsystem{};
  std::uint32_t section_alignment{};
  std::uint32_t file_alignment{};
  std::uint64_t headers_size{};     ///< SizeOfHeaders
  std::uint32_t checksum{};         ///< As stored.
  std::uint64_t checksum_offset{};  ///< Of the 4 bytes of CheckSum.
  std::uint64_t security_offset{};  ///< Of the 8 bytes of data directory 4.
  std::uint64_t table_offset{};     ///< Certificate table; a file offset, not an RVA.
  std::uint64_t table_size{};
  bool dotnet{false};             ///< Has a CLR header (data directory 14).
  std::vector<Section> sections;  ///< In table order.

  [[nodiscard]] bool has_table() const { return table_size != 0; }
  [[nodiscard]] std::uint64_t table_end() const { return table_offset + table_size; }
  /// End of what a signature covers: the start of the certificate table, or the end of the file.
  [[nodiscard]] std::uint64_t content_end() const { return has_table() ? table_offset : file_size; }
  /// Whether firmware reads this image (subsystems 10 to 13).
  [[nodiscard]] bool is_efi() const { return subsystem >= 10 && subsystem <= 13; }
};

/// Size of the CheckSum field.
inline constexpr std::uint64_t kChecksumSize = 4;
/// Size of one data directory entry.
inline constexpr std::uint64_t kDirectorySize = 8;
/// Alignment of the certificate table and of its entries.
inline constexpr std::uint64_t kTableAlignment = 8;

/// `value` rounded up to the alignment of the certificate table.
[[nodiscard]] constexpr std::uint64_t round_up_8(std::uint64_t value) {
  return (value + (kTableAlignment - 1)) / kTableAlignment * kTableAlignment;
}

/// Reads the headers and the section table, nothing else.
///
/// @errors `input` when the headers are malformed or lie about where things are; `unsupported` for
///         ROM images, images without a security directory, and files of 4 GiB or more.
Result<Layout> read_layout(const ByteSource& source);

}  // namespace signctl::pe
