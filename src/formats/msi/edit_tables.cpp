// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/edit_tables.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <utility>

namespace signctl::msi {

Result<std::uint32_t> EditedTable::at(std::uint64_t index) const {
  if (index >= size()) {
    return Error{ErrorKind::internal, "a table entry that does not exist"};
  }
  const auto found = changed_.find(static_cast<std::size_t>(index / per_page()));
  if (found != changed_.end()) {
    return found->second[index % per_page()];
  }
  return base_.at(index);
}

Result<std::vector<std::uint32_t>*> EditedTable::changed(std::size_t page) {
  const auto found = changed_.find(page);
  if (found != changed_.end()) {
    return &found->second;
  }
  SIGNCTL_TRY(auto entries, base_.page(page), "");
  return &changed_.emplace(page, std::move(entries)).first->second;
}

Result<void> EditedTable::set(std::uint64_t index, std::uint32_t value) {
  SIGNCTL_TRY(const std::uint32_t now, at(index), "");
  if (now == value) {
    return ok();
  }
  SIGNCTL_TRY(auto* entries, changed(static_cast<std::size_t>(index / per_page())), "");
  (*entries)[index % per_page()] = value;
  return ok();
}

void EditedTable::add_page(std::uint32_t sector) {
  changed_[pages_.size()] = std::vector<std::uint32_t>(per_page(), kFreeSector);
  pages_.push_back(sector);
}

std::uint32_t EditedTable::drop_page() {
  const std::uint32_t sector = pages_.back();
  pages_.pop_back();
  changed_.erase(pages_.size());
  return sector;
}

Result<bool> EditedTable::last_page_is_free() const {
  for (std::uint64_t i = size() - per_page(); i < size(); ++i) {
    SIGNCTL_TRY(const std::uint32_t value, at(i), "");
    if (value != kFreeSector) {
      return false;
    }
  }
  return true;
}

void EditedTable::relocate(std::vector<std::uint32_t> pages) {
  pages_ = std::move(pages);
}

Result<void> EditedTable::move_page(std::size_t index, std::uint32_t sector) {
  SIGNCTL_CHECK(changed(index), "");
  pages_.at(index) = sector;
  return ok();
}

void EditedTable::emit(const Header& header, std::vector<Patch>& patches) const {
  for (const auto& [page, entries] : changed_) {
    Patch patch{header.offset_of(pages_[page]), {}};
    for (const std::uint32_t entry : entries) {
      put_le(patch.bytes, entry);
    }
    patches.push_back(std::move(patch));
  }
}

EditedSectors::EditedSectors(const CompoundFile& file)
    : file_(file),
      header_(file.header()),
      fat_(file.fat()),
      difat_(file.difat_sectors()),
      used_(file.used()),
      locked_(file.has_range_lock()) {}

Result<void> EditedSectors::set_fat(std::uint32_t sector, std::uint32_t value) {
  if (sector < fat_.size()) {
    return fat_.set(sector, value);
  }
  late_[sector] = value;
  return ok();
}

Result<std::uint32_t> EditedSectors::next(std::uint32_t sector) const {
  const auto late = late_.find(sector);
  return late != late_.end() ? Result<std::uint32_t>(late->second) : fat_.at(sector);
}

Result<void> EditedSectors::use(std::uint32_t sector, std::uint32_t value) {
  if (sector >= kMaxSectors) {
    return Error{ErrorKind::unsupported, "the compound file would become too large"};
  }
  used_.add(sector);
  return set_fat(sector, value);
}

Result<std::uint32_t> EditedSectors::allocate() {
  std::uint64_t sector = used_.next_absent(first_hole_);
  if (header_.major_version == 4 && sector == kRangeLockSector) {
    SIGNCTL_CHECK(use(kRangeLockSector, kEndOfChain), "");
    locked_ = true;
    sector = used_.next_absent(sector);
  }
  first_hole_ = sector + 1;
  SIGNCTL_CHECK(use(static_cast<std::uint32_t>(sector), kEndOfChain), "");
  return static_cast<std::uint32_t>(sector);
}

Result<std::vector<std::uint32_t>> EditedSectors::allocate_chain(std::uint64_t count) {
  std::vector<std::uint32_t> sectors;
  for (std::uint64_t i = 0; i < count; ++i) {
    SIGNCTL_TRY(const std::uint32_t sector, allocate(), "");
    if (!sectors.empty()) {
      SIGNCTL_CHECK(set_fat(sectors.back(), sector), "");
    }
    sectors.push_back(sector);
  }
  return sectors;
}

Result<void> EditedSectors::free_sector(std::uint32_t sector) {
  used_.remove(sector);
  late_.erase(sector);
  first_hole_ = std::min<std::uint64_t>(first_hole_, sector);
  return sector < fat_.size() ? fat_.set(sector, kFreeSector) : ok();
}

Result<void> EditedSectors::free_chain(std::uint32_t start, std::uint64_t count) {
  std::uint32_t sector = start;
  for (std::uint64_t i = 0; i < count; ++i) {
    SIGNCTL_TRY(const std::uint32_t next, fat_.at(sector), "");
    SIGNCTL_CHECK(free_sector(sector), "");
    sector = next;
  }
  return ok();
}

Result<void> EditedSectors::drop_range_lock() {
  // Only files that reach over it have one.
  if (header_.major_version == 4 && used_.has(kRangeLockSector) &&
      used_.count() <= std::uint64_t{kRangeLockSector} + 1) {
    SIGNCTL_TRY(const std::uint32_t value, fat_.at(kRangeLockSector), "");
    const bool lock = value == kEndOfChain && locked_;
    return lock ? free_sector(kRangeLockSector) : ok();
  }
  return ok();
}

Result<void> EditedSectors::fit_tables(bool trim) {
  SIGNCTL_CHECK(drop_range_lock(), "");
  const std::uint64_t per_page = fat_.per_page();
  const auto difat_for = [&](std::uint64_t pages) {
    return pages <= kHeaderDifat ? 0 : (pages - kHeaderDifat - 1) / (per_page - 1) + 1;
  };
  while (trim && fat_.pages().size() > 1 &&
         (used_.count() - 1 + per_page - 1) / per_page <= fat_.pages().size() - 1) {
    // What lies behind is moved down afterwards; its entries must survive the page until then.
    const std::uint64_t begin = fat_.size() - per_page;
    for (std::uint64_t i = used_.next_present(begin); i < used_.end();
         i = used_.next_present(i + 1)) {
      if (i < fat_.size()) {
        SIGNCTL_TRY(late_[static_cast<std::uint32_t>(i)], fat_.at(i), "");
      }
    }
    SIGNCTL_CHECK(free_sector(fat_.drop_page()), "");
    difat_changed_ = true;
  }
  while (trim && difat_.size() > difat_for(fat_.pages().size())) {
    SIGNCTL_CHECK(free_sector(difat_.back()), "");
    difat_.pop_back();
    difat_changed_ = true;
  }
  while (used_.count() > fat_.size() || difat_.size() < difat_for(fat_.pages().size())) {
    if (difat_.size() < difat_for(fat_.pages().size())) {
      SIGNCTL_TRY(const std::uint32_t sector, allocate(), "");
      SIGNCTL_CHECK(set_fat(sector, kDifatSector), "");
      difat_.push_back(sector);
    } else {
      SIGNCTL_TRY(const std::uint32_t sector, allocate(), "");
      fat_.add_page(sector);
      SIGNCTL_CHECK(set_fat(sector, kFatSector), "");
    }
    difat_changed_ = true;
  }
  for (auto it = late_.begin(); it != late_.end() && it->first < fat_.size();) {
    SIGNCTL_CHECK(fat_.set(it->first, it->second), "");
    it = late_.erase(it);
  }
  return ok();
}

Result<std::uint32_t> EditedSectors::take_hole(std::uint64_t limit) {
  const std::uint64_t hole = used_.next_absent(first_hole_);
  if (hole >= limit) {
    return Error{ErrorKind::internal, "there is no hole to move a sector into"};
  }
  first_hole_ = hole + 1;
  used_.add(hole);
  return static_cast<std::uint32_t>(hole);
}

void EditedSectors::note_move(std::uint32_t from, std::uint32_t to) {
  const std::uint64_t size = header_.sector_size();
  const std::uint64_t begin = header_.offset_of(from);
  if (begin >= file_.source().size()) {
    return;  // Allocated just now: whoever did so writes it.
  }
  const std::uint64_t there = std::min(size, file_.source().size() - begin);
  if (!moves_.empty() && moves_.back().from + moves_.back().size == begin &&
      moves_.back().to + moves_.back().size == header_.offset_of(to)) {
    moves_.back().size += there;
    return;
  }
  moves_.push_back({begin, header_.offset_of(to), there});
}

Result<void> EditedSectors::close_up(std::uint32_t& start, std::uint64_t limit) {
  std::uint32_t before = kEndOfChain;
  std::uint32_t sector = start;
  while (sector <= kMaxRegularSector) {
    SIGNCTL_TRY(const std::uint32_t following, next(sector), "");
    if (sector >= limit) {
      SIGNCTL_TRY(const std::uint32_t hole, take_hole(limit), "");
      note_move(sector, hole);
      SIGNCTL_CHECK(set_fat(hole, following), "");
      used_.remove(sector);
      late_.erase(sector);
      SIGNCTL_CHECK(sector < fat_.size() ? fat_.set(sector, kFreeSector) : ok(), "");
      if (before == kEndOfChain) {
        start = hole;
      } else {
        SIGNCTL_CHECK(set_fat(before, hole), "");
      }
      sector = hole;
    }
    before = sector;
    sector = following;
  }
  return ok();
}

Result<void> EditedSectors::close_up_tables(std::uint64_t limit) {
  for (std::size_t i = 0; i < fat_.pages().size(); ++i) {
    const std::uint32_t sector = fat_.pages()[i];
    if (sector >= limit) {
      SIGNCTL_TRY(const std::uint32_t hole, take_hole(limit), "");
      SIGNCTL_CHECK(fat_.move_page(i, hole), "");
      SIGNCTL_CHECK(free_sector(sector), "");
      SIGNCTL_CHECK(set_fat(hole, kFatSector), "");
      difat_changed_ = true;
    }
  }
  for (std::uint32_t& sector : difat_) {
    if (sector >= limit) {
      SIGNCTL_TRY(const std::uint32_t hole, take_hole(limit), "");
      SIGNCTL_CHECK(free_sector(sector), "");
      SIGNCTL_CHECK(set_fat(hole, kDifatSector), "");
      sector = hole;
      difat_changed_ = true;
    }
  }
  return ok();
}

void EditedSectors::emit(Header& header, PatchSet& patches) const {
  patches.moves = moves_;
  fat_.emit(header, patches.patches);
  if (!difat_changed_) {
    return;
  }
  const auto& pages = fat_.pages();
  header.fat_sectors = static_cast<std::uint32_t>(pages.size());
  const auto page_or_free = [&pages](std::size_t i) {
    return i < pages.size() ? pages[i] : kFreeSector;
  };
  for (std::size_t i = 0; i < kHeaderDifat; ++i) {
    header.difat.at(i) = page_or_free(i);
  }
  header.first_difat = difat_.empty() ? kEndOfChain : difat_.front();
  header.difat_sectors = static_cast<std::uint32_t>(difat_.size());
  std::size_t next = kHeaderDifat;
  for (std::size_t i = 0; i < difat_.size(); ++i) {
    Patch patch{header.offset_of(difat_[i]), {}};
    for (std::uint32_t k = 0; k + 1 < fat_.per_page(); ++k) {
      put_le(patch.bytes, page_or_free(next++));
    }
    put_le(patch.bytes, i + 1 < difat_.size() ? difat_[i + 1] : kEndOfChain);
    patches.patches.push_back(std::move(patch));
  }
}

}  // namespace signctl::msi
