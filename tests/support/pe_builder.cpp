// SPDX-License-Identifier: Apache-2.0
#include "support/pe_builder.hpp"

#include "crypto/digest.hpp"

#include <algorithm>
#include <stdexcept>

namespace signctl::test {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kSectionRow = 40;

std::size_t directories_offset(PeKind kind) {
  return kind == PeKind::pe32 ? 96 : 112;
}

std::uint16_t peek_u16(ByteView image, std::size_t offset) {
  return static_cast<std::uint16_t>(image[offset] | image[offset + 1] << 8);
}

void append_u16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value & 0xFFU));
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
}

void append_u32(Bytes& out, std::uint32_t value) {
  append_u16(out, static_cast<std::uint16_t>(value & 0xFFFFU));
  append_u16(out, static_cast<std::uint16_t>(value >> 16U));
}

/// Bytes that look random and are the same every time.
void fill(Bytes& image, std::size_t begin, std::size_t end) {
  std::uint32_t state = 0x2545F491;
  for (std::size_t i = begin; i < end; ++i) {
    state = state * 1664525U + 1013904223U;
    image[i] = static_cast<std::uint8_t>(state >> 24U);
  }
}

void write_section_rows(Bytes& image, const PeSpec& spec, std::size_t table) {
  std::uint32_t rva = spec.section_alignment;
  for (std::size_t i = 0; i < spec.sections.size(); ++i) {
    const PeSection& section = spec.sections[i];
    const std::size_t row = table + i * kSectionRow;
    std::copy(
        section.name.begin(), section.name.end(), image.begin() + static_cast<std::ptrdiff_t>(row));
    poke_u32(image, row + 8, section.raw_size);
    poke_u32(image, row + 12, rva);
    poke_u32(image, row + 16, section.raw_size);
    poke_u32(image, row + 20, section.raw_offset);
    rva += 0x10000;
  }
}

void pad_to_8(Bytes& image) {
  image.resize((image.size() + 7) / 8 * 8, 0);
}

}  // namespace

void poke_u16(Bytes& image, std::size_t offset, std::uint16_t value) {
  image.at(offset) = static_cast<std::uint8_t>(value & 0xFFU);
  image.at(offset + 1) = static_cast<std::uint8_t>(value >> 8U);
}

void poke_u32(Bytes& image, std::size_t offset, std::uint32_t value) {
  poke_u16(image, offset, static_cast<std::uint16_t>(value & 0xFFFFU));
  poke_u16(image, offset + 2, static_cast<std::uint16_t>(value >> 16U));
}

std::uint32_t peek_u32(ByteView image, std::size_t offset) {
  return peek_u16(image, offset) | static_cast<std::uint32_t>(peek_u16(image, offset + 2)) << 16U;
}

PeFields fields_of(ByteView image) {
  PeFields fields;
  fields.pe = peek_u32(image, 0x3C);
  fields.section_count = fields.pe + 6;
  fields.optional_size = fields.pe + 20;
  fields.magic = fields.pe + kFileHeader;
  fields.headers_size = fields.pe + 84;
  fields.checksum = fields.pe + 88;
  const bool plus = peek_u16(image, fields.magic) == 0x20B;
  fields.directories = fields.pe + (plus ? 132 : 116);
  fields.security = fields.pe + (plus ? 168 : 152);
  fields.section_table = fields.magic + peek_u16(image, fields.optional_size);
  return fields;
}

Bytes make_pe(const PeSpec& spec) {
  const std::size_t optional_size = directories_offset(spec.kind) + std::size_t{16} * 8;
  const std::size_t optional = spec.pe_offset + kFileHeader;
  const std::size_t section_table = optional + optional_size;
  std::size_t end =
      std::max<std::size_t>(spec.headers_size, section_table + spec.sections.size() * kSectionRow);
  const std::size_t headers_end = end;
  for (const PeSection& section : spec.sections) {
    end = std::max(end, std::size_t{section.raw_offset} + section.raw_size);
  }
  Bytes image(end + spec.overlay, 0);
  fill(image, headers_end, image.size());

  image[0] = 'M';
  image[1] = 'Z';
  poke_u32(image, 0x3C, spec.pe_offset);
  image[spec.pe_offset] = 'P';
  image[spec.pe_offset + 1] = 'E';
  poke_u16(image, spec.pe_offset + 4, spec.machine);
  poke_u16(image, spec.pe_offset + 6, static_cast<std::uint16_t>(spec.sections.size()));
  poke_u16(image, spec.pe_offset + 20, static_cast<std::uint16_t>(optional_size));
  poke_u16(image, spec.pe_offset + 22, 0x0022);
  poke_u16(image, optional, spec.kind == PeKind::pe32 ? 0x10B : 0x20B);
  poke_u32(image, optional + 32, spec.section_alignment);
  poke_u32(image, optional + 36, spec.file_alignment);
  poke_u32(image, optional + 60, spec.headers_size);
  poke_u16(image, optional + 68, spec.subsystem);
  poke_u32(image, optional + directories_offset(spec.kind) - 4, spec.directories);
  write_section_rows(image, spec, section_table);
  fix_checksum(image);
  return image;
}

std::uint32_t plain_checksum(ByteView image) {
  Bytes copy(image.begin(), image.end());
  poke_u32(copy, fields_of(image).checksum, 0);
  if (copy.size() % 2 != 0) {
    copy.push_back(0);
  }
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < copy.size(); i += 2) {
    sum += peek_u16(copy, i);
    sum = (sum & 0xFFFFU) + (sum >> 16U);
  }
  return sum + static_cast<std::uint32_t>(image.size());
}

void fix_checksum(Bytes& image) {
  poke_u32(image, fields_of(image).checksum, plain_checksum(image));
}

Bytes plain_digest(ByteView image, DigestAlg alg) {
  const PeFields fields = fields_of(image);
  const std::uint32_t table = peek_u32(image, fields.security);
  Bytes covered(image.begin(), table == 0 ? image.end() : image.begin() + table);
  if (table == 0) {
    pad_to_8(covered);
  }
  const auto erase = [&covered](std::size_t offset, std::ptrdiff_t size) {
    const auto first = covered.begin() + static_cast<std::ptrdiff_t>(offset);
    covered.erase(first, first + size);
  };
  erase(fields.security, 8);
  erase(fields.checksum, 4);
  return crypto::hash(alg, covered);
}

Bytes with_table(Bytes image, const std::vector<PeEntry>& entries) {
  pad_to_8(image);
  const std::size_t offset = image.size();
  for (const PeEntry& entry : entries) {
    const std::size_t padded = (entry.body.size() + 7) / 8 * 8;
    append_u32(image, entry.length != 0 ? entry.length : static_cast<std::uint32_t>(8 + padded));
    append_u16(image, entry.revision);
    append_u16(image, entry.type);
    image.insert(image.end(), entry.body.begin(), entry.body.end());
    pad_to_8(image);
  }
  const PeFields fields = fields_of(image);
  poke_u32(image, fields.security, static_cast<std::uint32_t>(offset));
  poke_u32(image, fields.security + 4, static_cast<std::uint32_t>(image.size() - offset));
  fix_checksum(image);
  return image;
}

Bytes fake_signature(std::size_t total_size) {
  if (total_size < 4 || total_size > 0xFFFF) {
    throw std::runtime_error("no such fake signature");
  }
  Bytes der{0x30};
  std::size_t content = total_size - 2;
  if (content > 0xFF + 1) {
    content = total_size - 4;
    der.push_back(0x82);
    der.push_back(static_cast<std::uint8_t>(content >> 8U));
  } else if (content > 0x7F + 1) {
    content = total_size - 3;
    der.push_back(0x81);
  }
  der.push_back(static_cast<std::uint8_t>(content & 0xFFU));
  for (std::size_t i = 0; i < content; ++i) {
    der.push_back(static_cast<std::uint8_t>(0x5A + i));
  }
  return der;
}

Bytes apply_patches(ByteView input, const PatchSet& patches) {
  Bytes output(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(patches.keep));
  for (const Move& move : patches.moves) {
    const ByteView moved =
        input.subspan(static_cast<std::size_t>(move.from), static_cast<std::size_t>(move.size));
    output.resize(std::max(output.size(), static_cast<std::size_t>(move.to) + moved.size()), 0);
    std::copy(moved.begin(), moved.end(), output.begin() + static_cast<std::ptrdiff_t>(move.to));
  }
  for (const Patch& patch : patches.patches) {
    const std::size_t end = static_cast<std::size_t>(patch.offset) + patch.bytes.size();
    output.resize(std::max(output.size(), end), 0);
    std::copy(patch.bytes.begin(),
              patch.bytes.end(),
              output.begin() + static_cast<std::ptrdiff_t>(patch.offset));
  }
  return output;
}

}  // namespace signctl::test
