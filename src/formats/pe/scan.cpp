// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/scan.hpp"

#include "core/byte_reader.hpp"
#include "crypto/digest.hpp"
#include "formats/pe/ranges.hpp"

#include <algorithm>

namespace signctl::pe {
namespace {

// Small enough to stay in the second-level cache while several hashes and the checksum go over it.
constexpr std::uint64_t kBlockSize = 256U * 1024U;

/// Calls `visit(offset, block)` for the file bytes from `begin` to `end`, block by block, until it
/// returns false.
template <class Visit>
Result<void> for_each_block(const ByteSource& source,
                            std::uint64_t begin,
                            std::uint64_t end,
                            Visit visit) {
  if (begin >= end) {
    return ok();
  }
  Bytes buffer(static_cast<std::size_t>(std::min(kBlockSize, end - begin)));
  for (std::uint64_t offset = begin; offset < end;) {
    const std::uint64_t size = std::min<std::uint64_t>(buffer.size(), end - offset);
    const std::span block = std::span(buffer).first(static_cast<std::size_t>(size));
    SIGNCTL_CHECK(source.read_at(offset, block), "reading at offset " + std::to_string(offset));
    if (!visit(offset, ByteView(block))) {
      return ok();
    }
    offset += size;
  }
  return ok();
}

/// The part of `block`, which starts at `offset` in the file, that lies inside `range`.
ByteView intersect(std::uint64_t offset, ByteView block, const HashedRange& range) {
  const std::uint64_t begin = std::max(offset, range.begin);
  const std::uint64_t end = std::min(offset + block.size(), range.end);
  if (begin >= end) {
    return {};
  }
  return block.subspan(static_cast<std::size_t>(begin - offset),
                       static_cast<std::size_t>(end - begin));
}

Bytes stored_checksum(const Layout& layout) {
  Bytes bytes;
  put_le(bytes, layout.checksum);
  return bytes;
}

}  // namespace

Result<ContentScan> scan_content(const ByteSource& source,
                                 const Layout& layout,
                                 std::span<const DigestAlg> algs,
                                 std::uint64_t zeros) {
  std::vector<crypto::Hasher> hashers;
  hashers.reserve(algs.size());
  for (const DigestAlg alg : algs) {
    hashers.emplace_back(alg);
  }
  ContentScan result;
  const std::vector<HashedRange> ranges = hashed_ranges(layout);
  const auto visit = [&](std::uint64_t offset, ByteView block) {
    result.sum.add(offset, block);
    for (const HashedRange& range : ranges) {
      const ByteView covered = intersect(offset, block, range);
      for (crypto::Hasher& hasher : hashers) {
        hasher.update(covered);
      }
    }
    return true;
  };
  SIGNCTL_CHECK(for_each_block(source, 0, layout.content_end(), visit), "hashing the file");

  result.sum.subtract(layout.checksum_offset, stored_checksum(layout));
  result.sum.subtract(layout.security_offset,
                      security_entry(layout.table_offset, layout.table_size));
  const Bytes padding(static_cast<std::size_t>(zeros), 0);
  for (crypto::Hasher& hasher : hashers) {
    hasher.update(padding);
    result.digests.push_back(hasher.finish());
  }
  return result;
}

Result<void> add_to_sum(const ByteSource& source,
                        std::uint64_t begin,
                        std::uint64_t end,
                        ChecksumSum& sum) {
  return for_each_block(source, begin, end, [&sum](std::uint64_t offset, ByteView block) {
    sum.add(offset, block);
    return true;
  });
}

Bytes security_entry(std::uint64_t table_offset, std::uint64_t table_size) {
  Bytes bytes;
  put_le(bytes, static_cast<std::uint32_t>(table_offset));
  put_le(bytes, static_cast<std::uint32_t>(table_size));
  return bytes;
}

Result<std::uint64_t> find_nonzero(const ByteSource& source,
                                   std::uint64_t begin,
                                   std::uint64_t end) {
  std::uint64_t found = end;
  const auto visit = [&found](std::uint64_t offset, ByteView block) {
    const auto it = std::find_if(block.begin(), block.end(), [](std::uint8_t b) { return b != 0; });
    if (it == block.end()) {
      return true;
    }
    found = offset + static_cast<std::uint64_t>(it - block.begin());
    return false;
  };
  SIGNCTL_CHECK(for_each_block(source, begin, end, visit), "");
  return found;
}

}  // namespace signctl::pe
