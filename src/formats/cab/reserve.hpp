// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/cabinet_layout.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace signctl::cab {

// The reserved area of the header, as Authenticode uses it: the sizes of two structures (u16 each),
// then the structures. The second one says where the signature is: offset and size (u32 each), and
// eight bytes of zeros. The digest covers the size and the bytes of the first one only.
inline constexpr std::uint64_t kStructureSizes = 4;
inline constexpr std::uint16_t kLocatorSize = 16;
/// What the area must hold for a signature when nothing else is in it.
inline constexpr std::uint64_t kPlainReserve = kStructureSizes + kLocatorSize;

/// The reserved area of one cabinet.
struct Reserve {
  Bytes bytes;            ///< All of it; empty when there is none.
  std::uint64_t first{};  ///< Size of the first structure.
  bool malformed{false};  ///< The sizes do not fit into the area.
  bool has_locator{false};
  std::uint32_t signature_offset{};
  std::uint32_t signature_size{};
  /// Offset within the area of a byte that nothing covers and that is not zero.
  std::optional<std::uint64_t> stray;

  [[nodiscard]] bool is_signed() const {
    return has_locator && (signature_offset != 0 || signature_size != 0);
  }
  /// Where the second structure is, or would be, within the area.
  [[nodiscard]] std::uint64_t locator() const { return kStructureSizes + first; }
};

Result<Reserve> read_reserve(const ByteSource& source, const formats::CabinetLayout& layout);

/// A reserved area ready for a signature: as it is but for the second structure, and no shorter
/// than that needs.
[[nodiscard]] Bytes prepared_reserve(const Reserve& reserve);

/// The second structure for a signature of `size` bytes at `offset`.
[[nodiscard]] Bytes encode_locator(std::uint32_t offset, std::uint32_t size);

}  // namespace signctl::cab
