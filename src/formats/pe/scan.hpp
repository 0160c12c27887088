// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/checksum.hpp"
#include "formats/pe/layout.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace signctl::pe {

/// What one pass over the content of an image yields.
struct ContentScan {
  std::vector<Bytes> digests;  ///< One per algorithm asked for, same order.
  ChecksumSum sum;             ///< Over the content, CheckSum and security entry taken as zero.
};

/// Reads the content (everything before the certificate table) once, in blocks.
///
/// @param zeros  Zero bytes to hash after the content.
Result<ContentScan> scan_content(const ByteSource& source,
                                 const Layout& layout,
                                 std::span<const DigestAlg> algs,
                                 std::uint64_t zeros);

/// Adds the bytes from `begin` to `end` of the file to `sum`.
Result<void> add_to_sum(const ByteSource& source,
                        std::uint64_t begin,
                        std::uint64_t end,
                        ChecksumSum& sum);

/// The 8 bytes of a security directory entry.
[[nodiscard]] Bytes security_entry(std::uint64_t table_offset, std::uint64_t table_size);

/// Offset of the first byte from `begin` to `end` that is not zero; `end` if all are.
Result<std::uint64_t> find_nonzero(const ByteSource& source,
                                   std::uint64_t begin,
                                   std::uint64_t end);

}  // namespace signctl::pe
