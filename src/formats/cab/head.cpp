// SPDX-License-Identifier: Apache-2.0
#include "formats/cab/head.hpp"

#include "core/block_reader.hpp"
#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "crypto/digest.hpp"

#include <algorithm>

namespace signctl::cab {
namespace {

using formats::CabinetLayout;
using formats::kCabHeaderSize;

constexpr std::uint64_t kChecksum = 4;  ///< reserved1, which the digest leaves out.
constexpr std::uint64_t kChecksumEnd = 8;

template <class T>
void poke(Bytes& bytes, std::uint64_t offset, T value) {
  Bytes encoded;
  put_le(encoded, value);
  std::copy(encoded.begin(), encoded.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// cbCFHeader, cbCFFolder, cbCFData.
Bytes encode_sizes(const CabinetLayout& layout, std::size_t reserve_size) {
  Bytes sizes;
  put_le(sizes, static_cast<std::uint16_t>(reserve_size));
  put_le(sizes, layout.folder_reserve);
  put_le(sizes, layout.data_reserve);
  return sizes;
}

/// The head with `middle` between the fixed header and the folders.
Result<Head> rebuild(const ByteSource& source,
                     const CabinetLayout& layout,
                     const Bytes& middle,
                     std::uint16_t flags) {
  Head head;
  head.old_size = layout.folders_end();
  const std::uint64_t after = kCabHeaderSize + middle.size();
  // Modulo 2^64 when the head becomes smaller; every sum is one of a place behind it.
  const std::uint64_t shift = after - layout.after_reserve();
  head.cabinet_size = layout.size + shift;
  if (head.cabinet_size > UINT32_MAX) {
    return Error{ErrorKind::unsupported, "the cabinet would be 4 GiB or larger"};
  }
  SIGNCTL_TRY(head.bytes, read_bytes(source, 0, kCabHeaderSize), "reading the header");
  head.bytes.insert(head.bytes.end(), middle.begin(), middle.end());
  SIGNCTL_TRY(const Bytes folders,
              read_bytes(source, layout.after_reserve(), head.old_size - layout.after_reserve()),
              "reading the folders");
  head.bytes.insert(head.bytes.end(), folders.begin(), folders.end());
  poke(head.bytes, formats::kCabSizeOffset, static_cast<std::uint32_t>(head.cabinet_size));
  poke(head.bytes, formats::kCabFilesOffset, static_cast<std::uint32_t>(layout.files + shift));
  poke(head.bytes, formats::kCabFlagsOffset, flags);
  for (const formats::CabinetFolder& folder : layout.folders) {
    poke(head.bytes, folder.row + shift, static_cast<std::uint32_t>(folder.data + shift));
  }
  return head;
}

/// What of the head is hashed, in order.
std::vector<ByteView> hashed_parts(const Head& head) {
  const ByteView bytes(head.bytes);
  const auto part = [bytes](std::uint64_t begin, std::uint64_t end) {
    return bytes.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  };
  // An area that is not Authenticode's may say anything; its digest is never signed.
  const std::uint64_t first = std::min<std::uint64_t>(
      ByteReader(bytes).u16(head.reserve).value_or(0), head.reserve_size - kStructureSizes);
  const std::uint64_t structure = head.reserve + kStructureSizes;
  return {part(0, kChecksum),
          part(kChecksumEnd, kCabHeaderSize),
          part(head.reserve, head.reserve + 2),
          part(structure, structure + first),
          part(head.reserve + head.reserve_size, bytes.size())};
}

}  // namespace

Result<Head> head_with(const ByteSource& source,
                       const CabinetLayout& layout,
                       const Bytes& reserve) {
  if (reserve.size() > UINT16_MAX) {
    return Error{ErrorKind::unsupported,
                 "the reserved area of the cabinet has no room for a signature's place"};
  }
  Bytes middle = encode_sizes(layout, reserve.size());
  middle.insert(middle.end(), reserve.begin(), reserve.end());
  const auto flags = static_cast<std::uint16_t>(layout.flags | formats::kCabHasReserve);
  SIGNCTL_TRY(Head head, rebuild(source, layout, middle, flags), "");
  head.reserve = kCabHeaderSize + formats::kCabReserveSizes;
  head.reserve_size = reserve.size();
  return head;
}

Result<Head> head_without(const ByteSource& source, const CabinetLayout& layout) {
  // Reserved areas of folders or blocks need the flag and the sizes all the same.
  if (layout.folder_reserve != 0 || layout.data_reserve != 0) {
    return rebuild(source, layout, encode_sizes(layout, 0), layout.flags);
  }
  const auto flags = static_cast<std::uint16_t>(layout.flags & ~formats::kCabHasReserve);
  return rebuild(source, layout, {}, flags);
}

PatchSet replace_head(const CabinetLayout& layout, Head head) {
  PatchSet edits;
  if (head.bytes.size() == head.old_size) {
    edits.keep = layout.size;
  } else {
    edits.keep = std::min<std::uint64_t>(head.old_size, head.bytes.size());
    edits.moves.push_back({head.old_size, head.bytes.size(), layout.size - head.old_size});
  }
  edits.patches.push_back({0, std::move(head.bytes)});
  return edits;
}

Result<std::vector<Bytes>> hash_cabinet(const ByteSource& source,
                                        const CabinetLayout& layout,
                                        const Head& head,
                                        std::span<const DigestAlg> algs) {
  std::vector<crypto::Hasher> hashers;
  for (const DigestAlg alg : algs) {
    hashers.emplace_back(alg);
  }
  for (const ByteView part : hashed_parts(head)) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(part);
    }
  }
  BlockVisitor visitor;
  visitor.visit = [&hashers](std::uint64_t /*offset*/, ByteView block) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(block);
    }
    return true;
  };
  SIGNCTL_CHECK(for_each_block(source, head.old_size, layout.size, visitor), "");
  std::vector<Bytes> digests;
  for (crypto::Hasher& hasher : hashers) {
    digests.push_back(hasher.finish());
  }
  return digests;
}

}  // namespace signctl::cab
