// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/edit.hpp"

#include "formats/msi/edit_directory.hpp"
#include "formats/msi/edit_tables.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::size_t kMaxEntries = 65'536;

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by == 0 ? 0 : 1);
}

class Editor {
 public:
  explicit Editor(const CompoundFile& file)
      : file_(file),
        header_(file.header()),
        sectors_(file),
        minifat_(file.minifat()),
        directory_(file),
        directory_sectors_(file.directory_sectors()),
        mini_count_(divided_up(file.root().size, kMiniSectorSize)) {}

  Result<PatchSet> run(const SignatureStreams& streams);

 private:
  [[nodiscard]] const Entry& root() const { return directory_.entries().front(); }
  [[nodiscard]] std::uint64_t mini_sectors(std::uint64_t minis) const {
    return divided_up(minis * kMiniSectorSize, header_.sector_size());
  }
  Result<void> end_chains();
  Result<void> remove(std::uint32_t number);
  Result<void> remove_mini(const Entry& entry);
  Result<void> trim_mini_stream();
  Result<void> trim_directory();
  Result<void> add(std::u16string_view name, const Bytes& bytes);
  Result<std::uint32_t> add_mini(const Bytes& bytes);
  Result<void> grow_mini_stream();
  Result<void> grow_directory();
  Result<void> settle(bool trim);
  Result<void> close_up();
  Result<std::vector<std::uint32_t>> list(std::uint32_t start);
  Result<void> append_to(std::uint32_t& start, std::uint32_t sector);
  Result<PatchSet> emit();
  Result<void> emit_mini(PatchSet& patches);

  const CompoundFile& file_;
  Header header_;
  EditedSectors sectors_;
  EditedTable minifat_;
  EditedDirectory directory_;
  std::vector<std::uint32_t> directory_sectors_;
  std::uint64_t mini_count_;
  std::set<std::uint64_t> freed_mini_;
  std::map<std::uint64_t, Bytes> mini_writes_;  ///< By mini sector.
  std::vector<std::uint32_t> new_mini_sectors_;
  std::vector<std::pair<std::vector<std::uint32_t>, Bytes>> new_streams_;
};

/// What a chain has behind the end of its stream belongs to nothing.
Result<void> Editor::end_chains() {
  for (const std::uint32_t sector : file_.overlong_ends()) {
    SIGNCTL_CHECK(sectors_.link(sector, kEndOfChain), "");
  }
  for (const std::uint32_t sector : file_.overlong_mini_ends()) {
    SIGNCTL_CHECK(minifat_.set(sector, kEndOfChain), "");
  }
  return ok();
}

Result<std::vector<std::uint32_t>> Editor::list(std::uint32_t start) {
  std::vector<std::uint32_t> sectors;
  for (std::uint32_t sector = start; sector <= kMaxRegularSector;) {
    sectors.push_back(sector);
    SIGNCTL_TRY(sector, sectors_.next(sector), "");
  }
  return sectors;
}

Result<void> Editor::remove_mini(const Entry& entry) {
  std::uint32_t mini = entry.start;
  for (std::uint64_t i = 0; i < divided_up(entry.size, kMiniSectorSize); ++i) {
    SIGNCTL_TRY(const std::uint32_t next, minifat_.at(mini), "");
    SIGNCTL_CHECK(minifat_.set(mini, kFreeSector), "");
    freed_mini_.insert(mini);
    mini_writes_[mini] = Bytes(static_cast<std::size_t>(kMiniSectorSize), 0);
    mini = next;
  }
  return ok();
}

Result<void> Editor::remove(std::uint32_t number) {
  const Entry entry = directory_.entries().at(number);
  if (entry.in_mini_stream()) {
    SIGNCTL_CHECK(remove_mini(entry), "");
  } else {
    SIGNCTL_CHECK(sectors_.free_chain(entry.start, divided_up(entry.size, header_.sector_size())),
                  "");
  }
  directory_.remove(number);
  return ok();
}

/// Takes what has become free off the end of the mini stream and of the MiniFAT.
Result<void> Editor::trim_mini_stream() {
  const std::uint64_t before = mini_count_;
  while (mini_count_ > 0 && freed_mini_.contains(mini_count_ - 1)) {
    mini_writes_.erase(--mini_count_);
  }
  if (mini_count_ == before) {
    return ok();
  }
  std::uint32_t start = root().start;
  SIGNCTL_TRY(const auto chain, list(start), "");
  const std::uint64_t keep = mini_sectors(mini_count_);
  for (std::size_t i = static_cast<std::size_t>(keep); i < chain.size(); ++i) {
    SIGNCTL_CHECK(sectors_.free_sector(chain[i]), "");
  }
  if (keep == 0) {
    start = kEndOfChain;
  } else {
    SIGNCTL_CHECK(sectors_.link(chain[static_cast<std::size_t>(keep) - 1], kEndOfChain), "");
  }
  directory_.set_location(0, start, mini_count_ * kMiniSectorSize);
  // What is kept of the last sector, but no longer part of the stream, held a signature.
  const std::uint64_t tail = keep * header_.sector_size() / kMiniSectorSize;
  for (std::uint64_t mini = mini_count_; mini < std::min(tail, before); ++mini) {
    mini_writes_[mini] = Bytes(static_cast<std::size_t>(kMiniSectorSize), 0);
  }
  while (minifat_.pages().size() > divided_up(mini_count_, minifat_.per_page())) {
    SIGNCTL_TRY(const bool free, minifat_.last_page_is_free(), "");
    if (!free) {
      break;
    }
    SIGNCTL_CHECK(sectors_.free_sector(minifat_.drop_page()), "");
    if (minifat_.pages().empty()) {
      header_.first_minifat = kEndOfChain;
    } else {
      SIGNCTL_CHECK(sectors_.link(minifat_.pages().back(), kEndOfChain), "");
    }
  }
  return ok();
}

Result<void> Editor::trim_directory() {
  const std::size_t per_sector = header_.sector_size() / kEntrySize;
  const auto& entries = directory_.entries();
  while (directory_sectors_.size() > 1 &&
         std::all_of(entries.end() - static_cast<std::ptrdiff_t>(per_sector),
                     entries.end(),
                     [](const Entry& entry) { return entry.type == EntryType::free; })) {
    directory_.shrink(entries.size() - per_sector);
    SIGNCTL_CHECK(sectors_.free_sector(directory_sectors_.back()), "");
    directory_sectors_.pop_back();
    SIGNCTL_CHECK(sectors_.link(directory_sectors_.back(), kEndOfChain), "");
  }
  return ok();
}

Result<void> Editor::append_to(std::uint32_t& start, std::uint32_t sector) {
  if (start > kMaxRegularSector) {
    start = sector;
    return ok();
  }
  SIGNCTL_TRY(const auto chain, list(start), "");
  return sectors_.link(chain.back(), sector);
}

Result<void> Editor::grow_directory() {
  if (directory_.has_free_entry()) {
    return ok();
  }
  const std::size_t per_sector = header_.sector_size() / kEntrySize;
  if (directory_.entries().size() + per_sector > kMaxEntries) {
    return Error{ErrorKind::unsupported, "the directory would become too large"};
  }
  SIGNCTL_TRY(const std::uint32_t sector, sectors_.allocate(), "");
  SIGNCTL_CHECK(sectors_.link(directory_sectors_.back(), sector), "");
  directory_sectors_.push_back(sector);
  directory_.grow(per_sector);
  return ok();
}

Result<void> Editor::grow_mini_stream() {
  if (mini_count_ == minifat_.size()) {
    SIGNCTL_TRY(const std::uint32_t sector, sectors_.allocate(), "");
    if (minifat_.pages().empty()) {
      header_.first_minifat = sector;
    } else {
      SIGNCTL_CHECK(sectors_.link(minifat_.pages().back(), sector), "");
    }
    minifat_.add_page(sector);
  }
  std::uint32_t start = mini_count_ == 0 ? kEndOfChain : root().start;
  if (mini_sectors(mini_count_ + 1) > mini_sectors(mini_count_)) {
    SIGNCTL_TRY(const std::uint32_t sector, sectors_.allocate(), "");
    SIGNCTL_CHECK(append_to(start, sector), "");
    new_mini_sectors_.push_back(sector);
  }
  ++mini_count_;
  directory_.set_location(0, start, mini_count_ * kMiniSectorSize);
  return ok();
}

/// At the end of the mini stream, even if it has free places: taking it out gives back what was.
Result<std::uint32_t> Editor::add_mini(const Bytes& bytes) {
  const auto first = static_cast<std::uint32_t>(mini_count_);
  for (std::size_t at = 0; at < bytes.size(); at += kMiniSectorSize) {
    SIGNCTL_CHECK(grow_mini_stream(), "");
    const std::uint64_t mini = mini_count_ - 1;
    const std::size_t end = std::min<std::size_t>(bytes.size(), at + kMiniSectorSize);
    Bytes block(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                bytes.begin() + static_cast<std::ptrdiff_t>(end));
    block.resize(static_cast<std::size_t>(kMiniSectorSize), 0);
    mini_writes_[mini] = std::move(block);
    const bool last = end == bytes.size();
    SIGNCTL_CHECK(minifat_.set(mini, last ? kEndOfChain : static_cast<std::uint32_t>(mini) + 1),
                  "");
  }
  return first;
}

Result<void> Editor::add(std::u16string_view name, const Bytes& bytes) {
  SIGNCTL_CHECK(grow_directory(), "");
  SIGNCTL_TRY(const std::uint32_t number, directory_.insert(name), "");
  std::uint32_t start = kEndOfChain;
  if (!bytes.empty() && bytes.size() < kMiniCutoff) {
    SIGNCTL_TRY(start, add_mini(bytes), "");
  } else if (!bytes.empty()) {
    SIGNCTL_TRY(
        auto chain, sectors_.allocate_chain(divided_up(bytes.size(), header_.sector_size())), "");
    start = chain.front();
    new_streams_.emplace_back(std::move(chain), bytes);
  }
  directory_.set_location(number, start, bytes.size());
  return ok();
}

/// Moves what lies last into sectors that are free: Windows refuses signed files in which sectors
/// belong to nothing.
Result<void> Editor::close_up() {
  const std::uint64_t limit = sectors_.used_count();
  SIGNCTL_CHECK(sectors_.close_up(header_.first_directory, limit), "");
  SIGNCTL_TRY(directory_sectors_, list(header_.first_directory), "");
  if (header_.first_minifat <= kMaxRegularSector) {
    SIGNCTL_CHECK(sectors_.close_up(header_.first_minifat, limit), "");
    SIGNCTL_TRY(auto pages, list(header_.first_minifat), "");
    minifat_.relocate(std::move(pages));
  }
  const auto entries = static_cast<std::uint32_t>(directory_.entries().size());
  for (std::uint32_t i = 0; i < entries; ++i) {
    const Entry& entry = directory_.entries()[i];
    const bool regular = entry.type == EntryType::root || !entry.in_mini_stream();
    if (i != 0 && (!entry.is_stream() || !file_.is_reached(i))) {
      continue;
    }
    if (!regular || entry.size == 0) {
      continue;
    }
    std::uint32_t start = entry.start;
    SIGNCTL_CHECK(sectors_.close_up(start, limit), "");
    if (start != entry.start) {
      directory_.set_location(i, start, entry.size);
    }
  }
  return sectors_.close_up_tables(limit);
}

Result<void> Editor::settle(bool trim) {
  if (trim) {
    SIGNCTL_CHECK(trim_mini_stream(), "");
    SIGNCTL_CHECK(trim_directory(), "");
  }
  SIGNCTL_CHECK(sectors_.fit_tables(trim), "");
  return sectors_.has_holes() ? close_up() : ok();
}

Result<void> Editor::emit_mini(PatchSet& patches) {
  for (const std::uint32_t sector : new_mini_sectors_) {
    patches.patches.push_back(
        {header_.offset_of(sector), Bytes(static_cast<std::size_t>(header_.sector_size()), 0)});
  }
  if (mini_writes_.empty()) {
    return ok();
  }
  SIGNCTL_TRY(const auto chain, list(root().start), "");
  for (auto& [mini, bytes] : mini_writes_) {
    const std::uint64_t at = mini * kMiniSectorSize;
    const std::uint64_t index = at / header_.sector_size();
    if (index < chain.size()) {
      patches.patches.push_back(
          {header_.offset_of(chain[static_cast<std::size_t>(index)]) + at % header_.sector_size(),
           std::move(bytes)});
    }
  }
  return ok();
}

Result<PatchSet> Editor::emit() {
  const std::uint64_t size = header_.offset_of(sectors_.count());
  PatchSet patches;
  patches.keep = std::min(size, file_.source().size());
  sectors_.emit(header_, patches);
  minifat_.emit(header_, patches.patches);
  header_.minifat_sectors = static_cast<std::uint32_t>(minifat_.pages().size());
  if (header_.major_version == 4) {
    header_.directory_sectors = static_cast<std::uint32_t>(directory_sectors_.size());
  }
  directory_.emit(header_, directory_sectors_, patches.patches);
  SIGNCTL_CHECK(emit_mini(patches), "");
  for (auto& [chain, bytes] : new_streams_) {
    bytes.resize(static_cast<std::size_t>(chain.size() * header_.sector_size()), 0);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(i * header_.sector_size());
      patches.patches.push_back(
          {header_.offset_of(chain[i]),
           Bytes(at, at + static_cast<std::ptrdiff_t>(header_.sector_size()))});
    }
  }
  Bytes original(kHeaderSize);
  SIGNCTL_CHECK(file_.source().read_at(0, original), "");
  Bytes header = encode_header(header_, original);
  if (header != original) {
    patches.patches.push_back({0, std::move(header)});
  }
  if (patches.keep < size) {
    // The last sector in full, whatever it is.
    const bool reached =
        std::any_of(patches.patches.begin(), patches.patches.end(), [size](const Patch& patch) {
          return patch.offset + patch.bytes.size() == size;
        });
    if (!reached) {
      patches.patches.push_back({size - 1, Bytes(1, 0)});
    }
  }
  return patches;
}

Result<PatchSet> Editor::run(const SignatureStreams& streams) {
  bool removed = false;
  for (const std::u16string_view name : {kPrehashName, kSignatureName}) {
    if (const auto number = file_.find_in_root(name)) {
      SIGNCTL_CHECK(remove(*number), "");
      removed = true;
    }
  }
  if (!removed && !streams.signature && !streams.prehash) {
    return PatchSet{file_.source().size(), {}};
  }
  SIGNCTL_CHECK(end_chains(), "");
  SIGNCTL_CHECK(settle(removed), "");
  if (streams.prehash) {
    SIGNCTL_CHECK(add(kPrehashName, *streams.prehash), "");
  }
  if (streams.signature) {
    SIGNCTL_CHECK(add(kSignatureName, *streams.signature), "");
  }
  SIGNCTL_CHECK(settle(false), "");
  return emit();
}

}  // namespace

Result<PatchSet> edit_signatures(const CompoundFile& file, const SignatureStreams& streams) {
  return Editor(file).run(streams);
}

}  // namespace signctl::msi
