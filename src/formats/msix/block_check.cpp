// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/block_check.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/common/zip_inflate.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

namespace signctl::msix {
namespace {

constexpr std::size_t kMostFindings = 20;
/// Behind the last block a deflate stream still has to end: two octets as makeappx does it.
constexpr std::uint64_t kMostTrailer = 16;
/// Deflate adds a few octets to what it cannot pack.
constexpr std::uint64_t kMostPackedBlock = kBlockSize + 1024;

Finding finding(std::string id, std::string message) {
  return {std::move(id), Severity::error, "file", std::move(message)};
}

/// Cuts the unpacked bytes of one file into blocks and compares their hashes.
class Blocks {
 public:
  Blocks(const BlockMap& map, const MappedFile& file) : map_(map), file_(file) {
    block_.reserve(kBlockSize);
  }

  Result<void> take(ByteView bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min<std::size_t>(bytes.size(), kBlockSize - block_.size());
      const ByteView head = bytes.first(part);
      bytes = bytes.subspan(part);
      taken_ += part;
      const bool is_whole = block_.size() + part == kBlockSize || taken_ == file_.size;
      if (is_whole && block_.empty()) {
        SIGNCTL_CHECK(compare(head), "");
        continue;
      }
      block_.insert(block_.end(), head.begin(), head.end());
      if (is_whole) {
        SIGNCTL_CHECK(compare(block_), "");
        block_.clear();
      }
    }
    return ok();
  }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  Result<void> compare(ByteView block) {
    const Bytes digest = crypto::hash(map_.alg, block);
    const ByteView wanted = map_.hash(file_.first_block + index_);
    ++index_;
    if (!std::equal(digest.begin(), digest.end(), wanted.begin(), wanted.end())) {
      return Error{ErrorKind::input,
                   "block " + std::to_string(index_) + " of " + std::to_string(file_.block_count) +
                       " of " + printable(file_.name) +
                       " does not have the hash that the block map says"};
    }
    return ok();
  }

  const BlockMap& map_;
  const MappedFile& file_;
  Bytes block_;  ///< Of a block that comes in pieces, those that are there.
  std::uint64_t taken_{0};
  std::size_t index_{0};
};

class Checker {
 public:
  Checker(const ByteSource& source,
          const Package& package,
          const BlockMap& map,
          const Manifest& manifest)
      : source_(source), package_(package), map_(map), manifest_(manifest) {}

  std::vector<Finding> run();

 private:
  void index_map();
  void check_entry(std::size_t index);
  void check_bundled(const zip::Entry& entry);
  Result<void> check_blocks(const zip::Entry& entry, const MappedFile& file) const;
  Result<void> check_packed(const zip::Entry& entry, const MappedFile& file) const;
  [[nodiscard]] bool is_unmapped(std::size_t index) const;
  [[nodiscard]] bool is_full() const { return findings_.size() >= kMostFindings; }
  void add(std::string id, std::string message) {
    findings_.push_back(finding(std::move(id), std::move(message)));
  }

  const ByteSource& source_;
  const Package& package_;
  const BlockMap& map_;
  const Manifest& manifest_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::vector<bool> seen_;
  std::vector<Finding> findings_;
};

void Checker::index_map() {
  seen_.resize(map_.files.size(), false);
  for (std::size_t i = 0; i < map_.files.size() && !is_full(); ++i) {
    if (!by_name_.emplace(map_.files[i].name, i).second) {
      add("msix-block-map", "the block map lists " + printable(map_.files[i].name) + " twice");
    }
  }
}

bool Checker::is_unmapped(std::size_t index) const {
  return index == package_.block_map || index == package_.content_types ||
         index == package_.signature || index == package_.code_integrity ||
         package_.entry(index).is_folder();
}

void Checker::check_bundled(const zip::Entry& entry) {
  const auto it = std::find_if(manifest_.packages.begin(),
                               manifest_.packages.end(),
                               [name = mapped_name(entry.name)](const BundledPackage& one) {
                                 return one.file_name == name;
                               });
  if (it == manifest_.packages.end()) {
    add("msix-block-map-unlisted",
        zip::display_name(entry) + " is in neither the block map nor the manifest of the bundle");
  }
}

/// Block by block: each has its place in the packed bytes, so that Windows can fetch it alone.
Result<void> Checker::check_packed(const zip::Entry& entry, const MappedFile& file) const {
  const auto wrong = [&](const std::string& what) {
    return Error{ErrorKind::input, "the block map says of " + printable(file.name) + " " + what};
  };
  Blocks blocks(map_, file);
  zip::Unpacker unpacker(entry);
  const zip::Sink sink = [&blocks](ByteView bytes) { return blocks.take(bytes); };
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < file.block_count; ++i) {
    const auto size = map_.packed_sizes[file.first_block + i];
    if (!size || *size > kMostPackedBlock || *size > entry.packed_size - at) {
      return wrong("no possible packed size of block " + std::to_string(i + 1));
    }
    SIGNCTL_TRY(const Bytes packed, read_bytes(source_, entry.data_offset + at, *size), "");
    SIGNCTL_CHECK(unpacker.update(packed, sink), "");
    at += *size;
    if (blocks.taken() != std::min<std::uint64_t>((i + 1) * kBlockSize, file.size)) {
      return wrong("a wrong packed size of block " + std::to_string(i + 1));
    }
  }
  const std::uint64_t rest = entry.packed_size - at;
  if (rest > kMostTrailer) {
    return wrong("that its blocks have " + std::to_string(at) + " bytes packed; there are " +
                 std::to_string(entry.packed_size));
  }
  SIGNCTL_TRY(const Bytes trailer, read_bytes(source_, entry.data_offset + at, rest), "");
  SIGNCTL_CHECK(unpacker.update(trailer, sink), "");
  return unpacker.finish();
}

Result<void> Checker::check_blocks(const zip::Entry& entry, const MappedFile& file) const {
  if (entry.method != zip::kStored) {
    return check_packed(entry, file);
  }
  Blocks blocks(map_, file);
  return zip::unpack(source_, entry, [&blocks](ByteView bytes) { return blocks.take(bytes); });
}

void Checker::check_entry(std::size_t index) {
  const zip::Entry& entry = package_.entry(index);
  const auto it = by_name_.find(mapped_name(entry.name));
  if (it == by_name_.end()) {
    if (package_.bundle) {
      check_bundled(entry);
    } else if (!is_unmapped(index)) {
      add("msix-block-map-unlisted",
          zip::display_name(entry) + " is not in the block map, which vouches for every file");
    }
    return;
  }
  const MappedFile& file = map_.files[it->second];
  if (seen_[it->second]) {
    add("msix-block-map", "two entries of the archive are " + printable(file.name));
    return;
  }
  seen_[it->second] = true;
  if (file.size != entry.size || file.lfh_size != entry.local_header_size()) {
    add("msix-block-map",
        "the block map says of " + printable(file.name) + " size " + std::to_string(file.size) +
            " and LfhSize " + std::to_string(file.lfh_size) + "; the archive has " +
            std::to_string(entry.size) + " and " + std::to_string(entry.local_header_size()));
    return;
  }
  if (const auto checked = check_blocks(entry, file); !checked) {
    add("msix-block-map", checked.error().message);
  }
}

std::vector<Finding> Checker::run() {
  index_map();
  for (const std::size_t index : package_.archive.in_file_order()) {
    if (is_full()) {
      return std::move(findings_);
    }
    if (!is_unmapped(index)) {
      check_entry(index);
    }
  }
  for (std::size_t i = 0; i < map_.files.size() && !is_full(); ++i) {
    if (!seen_[i]) {
      add("msix-block-map-missing",
          "the block map lists " + printable(map_.files[i].name) + ", which is not in the archive");
    }
  }
  return std::move(findings_);
}

}  // namespace

std::vector<Finding> check_block_map(const ByteSource& source,
                                     const Package& package,
                                     const BlockMap& map,
                                     const Manifest& manifest) {
  return Checker(source, package, map, manifest).run();
}

}  // namespace signctl::msix
