// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/compound_file.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"

#include <algorithm>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::size_t kMaxEntries = 65'536;
// The root entry's stream: 65536 streams of up to 4095 bytes do not need more.
constexpr std::uint64_t kMaxMiniStream = std::uint64_t{1} << 30U;

Error malformed(std::string message) {
  return {ErrorKind::input, "the compound file is malformed: " + std::move(message)};
}

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by == 0 ? 0 : 1);
}

}  // namespace

CompoundFile::CompoundFile(std::shared_ptr<const ByteSource> source, const Header& header)
    : source_(std::move(source)), header_(header) {
  const std::uint64_t size = source_->size();
  sector_count_ = size <= header_.sector_size()
                      ? 0
                      : divided_up(size - header_.sector_size(), header_.sector_size());
}

Result<std::shared_ptr<const CompoundFile>> CompoundFile::open(
    std::shared_ptr<const ByteSource> source) {
  SIGNCTL_TRY(const Bytes head,
              read_bytes(*source, 0, std::min<std::uint64_t>(source->size(), kHeaderSize)),
              "reading the header");
  SIGNCTL_TRY(const Header header, parse_header(head), "");
  auto file = std::make_shared<CompoundFile>(std::move(source), header);
  if (file->sector_count_ > kMaxSectors) {
    return Error{ErrorKind::unsupported,
                 "the compound file has more than " + std::to_string(kMaxSectors) + " sectors"};
  }
  file->used_ = SectorSet(file->sector_count_);
  SIGNCTL_CHECK(file->load_tables(), "reading the sector tables");
  SIGNCTL_CHECK(file->load_directory(), "reading the directory");
  SIGNCTL_CHECK(file->load_minifat(), "reading the mini stream");
  SIGNCTL_CHECK(file->load_streams(), "");
  return std::shared_ptr<const CompoundFile>(std::move(file));
}

/// Notes that `count` sectors from `first` belong to `what`, and to nothing else.
Result<void> CompoundFile::claim(std::uint64_t first,
                                 std::uint64_t count,
                                 const std::string& what) {
  for (std::uint64_t sector = first; sector < first + count; ++sector) {
    if (sector >= sector_count_) {
      return malformed(what + " leads to sector " + std::to_string(sector) +
                       ", which is past the end of the file");
    }
    if (!used_.add(sector)) {
      return malformed(what + " leads to sector " + std::to_string(sector) +
                       ", which is in use already");
    }
  }
  return ok();
}

/// The sectors of the FAT, from the header and the DIFAT (2.5).
Result<std::vector<std::uint32_t>> CompoundFile::load_difat() {
  std::vector<std::uint32_t> pages;
  if (header_.fat_sectors > sector_count_) {
    return malformed("more FAT sectors than sectors");
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(header_.fat_sectors, kHeaderDifat); ++i) {
    pages.push_back(header_.difat.at(i));
  }
  std::uint32_t sector = header_.first_difat;
  const std::size_t per_sector = header_.per_sector() - 1;
  while (pages.size() < header_.fat_sectors) {
    SIGNCTL_CHECK(claim(sector, 1, "the DIFAT"), "");
    difat_sectors_.push_back(sector);
    const std::uint64_t offset = header_.offset_of(sector);
    if (offset + header_.sector_size() > source_->size()) {
      return malformed("the DIFAT is cut short");
    }
    SIGNCTL_TRY(const Bytes bytes, read_bytes(*source_, offset, header_.sector_size()), "");
    const ByteReader reader(bytes);
    for (std::size_t i = 0; i < per_sector && pages.size() < header_.fat_sectors; ++i) {
      pages.push_back(reader.u32(4 * i).value_or(kFreeSector));
    }
    sector = reader.u32(4 * per_sector).value_or(kEndOfChain);
  }
  return pages;
}

Result<void> CompoundFile::load_tables() {
  SIGNCTL_TRY(auto pages, load_difat(), "");
  for (const std::uint32_t page : pages) {
    SIGNCTL_CHECK(claim(page, 1, "the FAT"), "");
  }
  fat_.emplace(source_, header_, std::move(pages));
  if (header_.major_version == 4 && sector_count_ > kRangeLockSector &&
      fat_->size() > kRangeLockSector && !used_.has(kRangeLockSector)) {
    SIGNCTL_TRY(const std::uint32_t lock, fat_->at(kRangeLockSector), "");
    // A stream of a writer that knows no range lock may end here: then its chain claims it.
    if (lock == kEndOfChain) {
      SIGNCTL_TRY(const std::uint32_t before, fat_->at(kRangeLockSector - 1), "");
      if (before != kRangeLockSector) {
        range_lock_ = used_.add(kRangeLockSector);
      }
    }
  }
  return ok();
}

/// A chain without a size of its own, as a list of at most `limit` sectors.
Result<std::vector<std::uint32_t>> CompoundFile::claim_list(std::uint32_t start,
                                                            std::uint64_t limit,
                                                            const std::string& what) {
  std::vector<std::uint32_t> sectors;
  for (std::uint32_t sector = start; sector != kEndOfChain;) {
    if (sectors.size() == limit) {
      return Error{ErrorKind::unsupported,
                   what + " of the compound file is longer than " + std::to_string(limit) +
                       " sectors, which are the limit"};
    }
    SIGNCTL_CHECK(claim(sector, 1, what), "");
    sectors.push_back(sector);
    SIGNCTL_TRY(sector, fat_->at(sector), "");
  }
  return sectors;
}

Result<void> CompoundFile::load_directory() {
  const std::uint64_t per_sector = header_.sector_size() / kEntrySize;
  SIGNCTL_TRY(directory_sectors_,
              claim_list(header_.first_directory, kMaxEntries / per_sector, "the directory"),
              "");
  for (const std::uint32_t sector : directory_sectors_) {
    const std::uint64_t offset = header_.offset_of(sector);
    const std::uint64_t there = std::min(header_.sector_size(), source_->size() - offset);
    SIGNCTL_TRY(Bytes bytes, read_bytes(*source_, offset, there), "");
    bytes.resize(static_cast<std::size_t>(header_.sector_size()), 0);
    for (std::size_t at = 0; at < bytes.size(); at += kEntrySize) {
      SIGNCTL_TRY(Entry entry,
                  parse_entry(ByteView(bytes).subspan(at, kEntrySize), header_.major_version),
                  "");
      entries_.push_back(std::move(entry));
    }
  }
  SIGNCTL_TRY(tree_, walk_tree(entries_), "");
  return ok();
}

Result<void> CompoundFile::load_minifat() {
  const std::uint64_t size = root().size;
  if (size > kMaxMiniStream) {
    return malformed("a mini stream of " + std::to_string(size) + " bytes");
  }
  const std::uint64_t most = divided_up(kMaxMiniStream / kMiniSectorSize, header_.per_sector());
  SIGNCTL_TRY(auto pages, claim_list(header_.first_minifat, most, "the MiniFAT"), "");
  minifat_.emplace(source_, header_, std::move(pages));
  used_mini_ = SectorSet(divided_up(size, kMiniSectorSize));
  if (size != 0) {
    SIGNCTL_TRY(
        mini_stream_,
        claim_chain(root().start, divided_up(size, header_.sector_size()), "the mini stream"),
        "");
  }
  return ok();
}

Result<void> CompoundFile::load_streams() {
  chains_.resize(entries_.size());
  reached_.resize(entries_.size());
  for (const Storage& storage : tree_.storages) {
    for (const std::uint32_t child : storage.children) {
      const Entry& entry = entries_[child];
      reached_[child] = true;
      if (!entry.is_stream() || entry.size == 0) {
        continue;
      }
      const std::string what = "stream \"" + storage.path + decode_name(entry.name) + "\"";
      if (entry.in_mini_stream()) {
        SIGNCTL_CHECK(claim_mini(entry, what), "");
        continue;
      }
      const std::uint64_t sectors = divided_up(entry.size, header_.sector_size());
      SIGNCTL_TRY(chains_[child], claim_chain(entry.start, sectors, what), "");
    }
  }
  return ok();
}

/// A chain of exactly `sectors`; what follows them is no part of it.
Result<Chain> CompoundFile::claim_chain(std::uint32_t start,
                                        std::uint64_t sectors,
                                        const std::string& what) {
  if (sectors > sector_count_) {
    return malformed(what + " is larger than the file");
  }
  Chain chain{sectors, {}};
  std::uint64_t sector = start;
  for (std::uint64_t done = 0; done < sectors;) {
    if (sector > kMaxRegularSector) {
      return malformed(what + " is larger than its chain of sectors");
    }
    // Up to the next checkpoint at most, so that each of them begins a run.
    const std::uint64_t until = (done / Chain::kCheckpoint + 1) * Chain::kCheckpoint;
    if (done % Chain::kCheckpoint == 0) {
      chain.checkpoints.push_back(static_cast<std::uint32_t>(sector));
    }
    if (sector >= sector_count_) {
      return malformed(what + " leads to sector " + std::to_string(sector) +
                       ", which is past the end of the file");
    }
    SIGNCTL_TRY(
        const Run run, fat_->run(sector, std::min(until, sectors) - done), "reading " + what);
    SIGNCTL_CHECK(claim(sector, run.count, what), "");
    done += run.count;
    if (done == sectors && run.next != kEndOfChain) {
      overlong_ends_.push_back(static_cast<std::uint32_t>(sector + run.count - 1));
    }
    sector = run.next;
  }
  return chain;
}

Result<void> CompoundFile::claim_mini(const Entry& entry, const std::string& what) {
  const std::uint64_t sectors = divided_up(entry.size, kMiniSectorSize);
  std::uint64_t sector = entry.start;
  for (std::uint64_t done = 0; done < sectors; ++done) {
    if (sector >= used_mini_.size()) {
      return malformed(what + " leads to mini sector " + std::to_string(sector) +
                       ", which is past the end of the mini stream");
    }
    if (!used_mini_.add(sector)) {
      return malformed(what + " leads to mini sector " + std::to_string(sector) +
                       ", which is in use already");
    }
    SIGNCTL_TRY(const std::uint32_t next, minifat_->at(sector), "reading " + what);
    if (done + 1 == sectors && next != kEndOfChain) {
      overlong_mini_ends_.push_back(static_cast<std::uint32_t>(sector));
    }
    sector = next;
  }
  return ok();
}

std::optional<std::uint32_t> CompoundFile::find_in_root(std::u16string_view name) const {
  for (const std::uint32_t child : tree_.storages.front().children) {
    if (entries_[child].is_stream() && entries_[child].name == name) {
      return child;
    }
  }
  return std::nullopt;
}

}  // namespace signctl::msi
