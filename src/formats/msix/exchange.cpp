// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/exchange.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/zip_edit.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace signctl::msix {
namespace {

/// A file with its new content, and what the block map has to say of it.
struct Fresh {
  zip::Content content;
  std::vector<std::optional<std::uint32_t>> packed_sizes;
  Bytes hashes;
};

Result<Fresh> pack(std::shared_ptr<const ByteSource> bytes, std::uint16_t method, DigestAlg alg) {
  Fresh fresh;
  for (std::uint64_t at = 0; at < bytes->size(); at += kBlockSize) {
    SIGNCTL_TRY(const Bytes block,
                read_bytes(*bytes, at, std::min<std::uint64_t>(kBlockSize, bytes->size() - at)),
                "");
    const Bytes digest = crypto::hash(alg, block);
    fresh.hashes.insert(fresh.hashes.end(), digest.begin(), digest.end());
    fresh.packed_sizes.emplace_back();
  }
  if (method == zip::kStored) {
    SIGNCTL_TRY(fresh.content, zip::store(std::move(bytes)), "");
    return fresh;
  }
  SIGNCTL_TRY(zip::DeflatedBlocks packed, zip::deflate_blocks(*bytes, kBlockSize), "");
  fresh.content = std::move(packed.content);
  fresh.packed_sizes.assign(packed.packed_sizes.begin(), packed.packed_sizes.end());
  return fresh;
}

/// Of the header that zip::Edit writes: no extra field but for sizes of 4 GiB and more.
std::uint32_t header_size(const zip::Entry& entry, const zip::Content& content) {
  constexpr std::uint64_t kWideSizes = 20;
  const bool wide = content.size >= zip::kFull32 || content.packed->size() >= zip::kFull32;
  return static_cast<std::uint32_t>(zip::kLocalHeaderSize + entry.name.size() +
                                    (wide ? kWideSizes : 0));
}

class Exchange {
 public:
  explicit Exchange(const Opened& opened)
      : opened_(opened), archive_(opened.package.archive), edit_(opened.source, archive_) {}

  Result<void> replace(std::size_t index, std::shared_ptr<const ByteSource> bytes);
  Result<PatchSet> finish();

 private:
  Result<void> place_packages();
  Result<BlockMap> new_map() const;

  const Opened& opened_;
  const zip::Archive& archive_;
  zip::Edit edit_;
  std::map<std::string, std::pair<const zip::Entry*, Fresh>> fresh_;  ///< By mapped name.
};

Result<void> Exchange::replace(std::size_t index, std::shared_ptr<const ByteSource> bytes) {
  const zip::Entry& entry = archive_.entries[index];
  SIGNCTL_TRY(Fresh fresh, pack(std::move(bytes), entry.method, opened_.map.alg), "");
  edit_.replace(index, fresh.content);
  fresh_[mapped_name(entry.name)] = {&entry, std::move(fresh)};
  return ok();
}

/// A bundle's manifest says where its packages lie. It goes behind them, so that its own size does
/// not move them.
Result<void> Exchange::place_packages() {
  const std::size_t manifest = opened_.package.manifest;
  edit_.drop(manifest);
  edit_.drop(opened_.package.block_map);
  std::vector<Placed> places;
  for (const BundledPackage& one : opened_.manifest.packages) {
    const auto it =
        std::find_if(archive_.entries.begin(), archive_.entries.end(), [&](const zip::Entry& e) {
          return mapped_name(e.name) == one.file_name;
        });
    if (it == archive_.entries.end()) {
      return Error{ErrorKind::input, "the bundle does not hold " + printable(one.file_name)};
    }
    const auto index = static_cast<std::size_t>(it - archive_.entries.begin());
    SIGNCTL_TRY(const std::uint64_t offset, edit_.data_offset(index), "");
    const auto fresh = fresh_.find(one.file_name);
    places.push_back({one.file_name,
                      offset,
                      fresh == fresh_.end() ? it->size : fresh->second.second.content.size});
  }
  const zip::Entry& entry = archive_.entries[manifest];
  SIGNCTL_TRY(const Bytes old, zip::unpack_small(opened_.source, entry, kMostPart), "");
  SIGNCTL_TRY(Bytes moved, move_packages(old, places), "");
  SIGNCTL_TRY(
      Fresh fresh,
      pack(std::make_shared<MemorySource>(std::move(moved)), zip::kDeflated, opened_.map.alg),
      "");
  edit_.replace_at_end(manifest, fresh.content);
  fresh_[mapped_name(entry.name)] = {&entry, std::move(fresh)};
  return ok();
}

Result<BlockMap> Exchange::new_map() const {
  BlockMap map;
  map.alg = opened_.map.alg;
  std::size_t used = 0;
  for (const MappedFile& old : opened_.map.files) {
    MappedFile file = old;
    file.first_block = map.packed_sizes.size();
    const auto it = fresh_.find(old.name);
    if (it == fresh_.end()) {
      for (std::size_t i = old.first_block; i < old.first_block + old.block_count; ++i) {
        const ByteView hash = opened_.map.hash(i);
        map.hashes.insert(map.hashes.end(), hash.begin(), hash.end());
        map.packed_sizes.push_back(opened_.map.packed_sizes[i]);
      }
    } else {
      const auto& [entry, fresh] = it->second;
      file.size = fresh.content.size;
      file.lfh_size = header_size(*entry, fresh.content);
      file.block_count = fresh.packed_sizes.size();
      map.hashes.insert(map.hashes.end(), fresh.hashes.begin(), fresh.hashes.end());
      map.packed_sizes.insert(
          map.packed_sizes.end(), fresh.packed_sizes.begin(), fresh.packed_sizes.end());
      ++used;
    }
    map.files.push_back(std::move(file));
  }
  const std::size_t unmapped =
      opened_.package.bundle
          ? static_cast<std::size_t>(std::count_if(
                opened_.manifest.packages.begin(),
                opened_.manifest.packages.end(),
                [&](const BundledPackage& one) { return fresh_.contains(one.file_name); }))
          : 0;
  if (used + unmapped != fresh_.size()) {
    return Error{ErrorKind::input,
                 "the block map does not list a file that was to be exchanged",
                 "build the package anew with makeappx"};
  }
  return map;
}

Result<PatchSet> Exchange::finish() {
  if (opened_.package.bundle) {
    SIGNCTL_CHECK(place_packages(), "");
  }
  SIGNCTL_TRY(const BlockMap map, new_map(), "");
  if (opened_.package.signature) {
    edit_.drop(*opened_.package.signature);
  }
  edit_.replace_at_end(opened_.package.block_map, zip::deflate(encode_block_map(map)));
  return edit_.finish();
}

}  // namespace

Result<PatchSet> exchange(const Opened& opened,
                          const std::vector<std::size_t>& files,
                          std::span<const Replacement> replacements) {
  if (opened.package.code_integrity) {
    return Error{ErrorKind::unsupported,
                 "the package has " + std::string(kCodeIntegrity) +
                     ", which lists its programs as they are now",
                 "sign the programs before they are packed"};
  }
  Exchange work(opened);
  for (const Replacement& one : replacements) {
    if (one.index >= files.size() || one.bytes == nullptr) {
      return Error{ErrorKind::internal, "the package has no such member"};
    }
    SIGNCTL_CHECK(work.replace(files[one.index], one.bytes), "");
  }
  return work.finish();
}

}  // namespace signctl::msix
