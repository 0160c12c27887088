// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/patch_set.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Small PE images made to order, and plain re-implementations of what the product computes about
/// them, written for being obvious rather than fast.
namespace signctl::test {

enum class PeKind { pe32, pe32_plus };

struct PeSection {
  std::string name;
  std::uint32_t raw_offset{};
  std::uint32_t raw_size{};
};

/// An image to be made. The defaults are a valid, contiguous x86-64 console program of 3 KiB.
struct PeSpec {
  PeKind kind{PeKind::pe32_plus};
  std::uint32_t pe_offset{0x80};
  std::uint16_t machine{0x8664};
  std::uint16_t subsystem{3};
  std::uint32_t section_alignment{0x1000};
  std::uint32_t file_alignment{0x200};
  std::uint32_t headers_size{0x400};
  std::uint32_t directories{16};
  std::vector<PeSection> sections{{".text", 0x400, 0x600}, {".data", 0xA00, 0x200}};
  std::uint32_t overlay{0};  ///< Bytes behind the last section.
};

/// The image: pseudo-random content, right checksum, no certificate table.
Bytes make_pe(const PeSpec& spec = {});

/// File offsets of header fields.
struct PeFields {
  std::size_t pe{};
  std::size_t section_count{};
  std::size_t optional_size{};
  std::size_t magic{};
  std::size_t headers_size{};
  std::size_t checksum{};
  std::size_t directories{};  ///< NumberOfRvaAndSizes
  std::size_t security{};
  std::size_t section_table{};
};
PeFields fields_of(ByteView image);

void poke_u16(Bytes& image, std::size_t offset, std::uint16_t value);
void poke_u32(Bytes& image, std::size_t offset, std::uint32_t value);
std::uint32_t peek_u32(ByteView image, std::size_t offset);

/// The CheckSum that `image` ought to have.
std::uint32_t plain_checksum(ByteView image);
/// Stores it.
void fix_checksum(Bytes& image);
/// The Authenticode digest: of an unsigned image padded to 8, of a signed one up to its table.
Bytes plain_digest(ByteView image, DigestAlg alg);

/// One WIN_CERTIFICATE with whatever is asked for in its header.
struct PeEntry {
  Bytes body;
  std::uint16_t type{2};
  std::uint16_t revision{0x0200};
  std::uint32_t length{0};  ///< dwLength; 0 means the right one.
};

/// `image` (unsigned) padded to 8, with a table of `entries`, directory and checksum set.
Bytes with_table(Bytes image, const std::vector<PeEntry>& entries);

/// A DER SEQUENCE of `total_size` bytes (at least 4), standing in for a CMS.
Bytes fake_signature(std::size_t total_size);

/// What the writer makes of `patches`.
Bytes apply_patches(ByteView input, const PatchSet& patches);

}  // namespace signctl::test
