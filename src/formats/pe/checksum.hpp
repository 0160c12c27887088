// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <cstdint>

namespace signctl::pe {

/// The sum behind the CheckSum field: a one's complement sum of 16-bit little-endian words over the
/// whole file (CheckSum itself as zero), plus the length of the file.
///
/// The sum does not care about order, so bytes may be added in any order, at their file offsets,
/// and taken back. Internally 32-bit words are added without folding: 2^16 is 1 modulo 0xFFFF, so
/// folding at the end gives the same; 64 bits hold 2^32 words, more than a PE file has.
class ChecksumSum {
 public:
  /// Adds `bytes`, which are at `offset` in the file.
  void add(std::uint64_t offset, ByteView bytes);
  /// Takes back bytes that were added at that offset before.
  void subtract(std::uint64_t offset, ByteView bytes);
  /// The value of the CheckSum field for a file of `file_size` bytes.
  [[nodiscard]] std::uint32_t value(std::uint64_t file_size) const;

 private:
  std::uint64_t sum_{0};
};

}  // namespace signctl::pe
