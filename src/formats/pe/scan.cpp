// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/scan.hpp"

#include "core/block_reader.hpp"
#include "core/byte_reader.hpp"
#include "crypto/digest.hpp"
#include "formats/pe/ranges.hpp"

#include <algorithm>

namespace signctl::pe {
namespace {

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

/// Feeds what the digest covers to several hashes, block by block.
class ContentHashers {
 public:
  ContentHashers(const Layout& layout, std::span<const DigestAlg> algs)
      : ranges_(hashed_ranges(layout)) {
    hashers_.reserve(algs.size());
    for (const DigestAlg alg : algs) {
      hashers_.emplace_back(alg);
    }
  }

  void update(std::uint64_t offset, ByteView block) {
    for (const HashedRange& range : ranges_) {
      update_all(intersect(offset, block, range));
    }
  }
  [[nodiscard]] std::vector<Bytes> finish(std::uint64_t zeros) {
    update_all(Bytes(static_cast<std::size_t>(zeros), 0));
    std::vector<Bytes> digests;
    digests.reserve(hashers_.size());
    for (crypto::Hasher& hasher : hashers_) {
      digests.push_back(hasher.finish());
    }
    return digests;
  }

 private:
  void update_all(ByteView bytes) {
    for (crypto::Hasher& hasher : hashers_) {
      hasher.update(bytes);
    }
  }

  std::vector<HashedRange> ranges_;
  std::vector<crypto::Hasher> hashers_;
};

}  // namespace

Result<ContentScan> scan_content(const ByteSource& source,
                                 const Layout& layout,
                                 std::span<const DigestAlg> algs,
                                 std::uint64_t zeros) {
  ContentScan result;
  ContentHashers hashers(layout, algs);
  BlockVisitor visitor;
  visitor.visit = [&hashers](std::uint64_t offset, ByteView block) {
    hashers.update(offset, block);
    return true;
  };
  visitor.beside = [&result](std::uint64_t offset, ByteView block) {
    result.sum.add(offset, block);
  };
  SIGNCTL_CHECK(for_each_block(source, 0, layout.content_end(), visitor), "hashing the file");

  result.sum.subtract(layout.checksum_offset, stored_checksum(layout));
  result.sum.subtract(layout.security_offset,
                      security_entry(layout.table_offset, layout.table_size));
  result.digests = hashers.finish(zeros);
  return result;
}

Result<void> add_to_sum(const ByteSource& source,
                        std::uint64_t begin,
                        std::uint64_t end,
                        ChecksumSum& sum) {
  BlockVisitor visitor;
  visitor.visit = [&sum](std::uint64_t offset, ByteView block) {
    sum.add(offset, block);
    return true;
  };
  return for_each_block(source, begin, end, visitor);
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
  BlockVisitor visitor;
  visitor.visit = [&found](std::uint64_t offset, ByteView block) {
    const auto it = std::find_if(block.begin(), block.end(), [](std::uint8_t b) { return b != 0; });
    if (it == block.end()) {
      return true;
    }
    found = offset + static_cast<std::uint64_t>(it - block.begin());
    return false;
  };
  SIGNCTL_CHECK(for_each_block(source, begin, end, visitor), "");
  return found;
}

}  // namespace signctl::pe
