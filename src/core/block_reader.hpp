// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <functional>

namespace signctl {

/// What is done with the blocks of a range.
struct BlockVisitor {
  /// Called in order with each block's offset in the file; false ends the reading.
  std::function<bool(std::uint64_t offset, ByteView block)> visit;
  /// Called once for each block that `visit` sees or more, one at a time but in any order and on
  /// either thread. Must not touch what `visit` touches. May be empty.
  std::function<void(std::uint64_t offset, ByteView block)> beside{};
};

/// Reads the bytes from `begin` to `end` of `source` block by block. A long range is read by a
/// second thread, a few blocks ahead. When this returns, no call is running any more.
///
/// @errors those of ByteSource::read_at, with the offset.
Result<void> for_each_block(const ByteSource& source,
                            std::uint64_t begin,
                            std::uint64_t end,
                            const BlockVisitor& visitor);

}  // namespace signctl
