// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <map>
#include <vector>

namespace signctl::msi {

/// A sector table with changes on top. Pages that are not changed are not held.
class EditedTable {
 public:
  /// @param base  Borrowed.
  explicit EditedTable(const SectorTable& base) : base_(base), pages_(base.pages()) {}

  [[nodiscard]] std::uint64_t size() const {
    return std::uint64_t{base_.per_page()} * pages_.size();
  }
  [[nodiscard]] std::uint32_t per_page() const { return base_.per_page(); }
  /// Sectors that hold the table, in order.
  [[nodiscard]] const std::vector<std::uint32_t>& pages() const { return pages_; }

  Result<std::uint32_t> at(std::uint64_t index) const;
  Result<void> set(std::uint64_t index, std::uint32_t value);
  /// Adds a page of free entries.
  void add_page(std::uint32_t sector);
  /// Takes the last page off; returns its sector.
  std::uint32_t drop_page();
  /// Whether every entry of the last page is free.
  Result<bool> last_page_is_free() const;
  /// Says that page `index` is now in another sector.
  Result<void> move_page(std::size_t index, std::uint32_t sector);
  /// Says where all pages are now; what they hold was moved along.
  void relocate(std::vector<std::uint32_t> pages);
  /// The changed pages, as patches.
  void emit(const Header& header, std::vector<Patch>& patches) const;

 private:
  Result<std::vector<std::uint32_t>*> changed(std::size_t page);

  const SectorTable& base_;
  std::vector<std::uint32_t> pages_;
  std::map<std::size_t, std::vector<std::uint32_t>> changed_;
};

/// The sectors of a compound file while it is being edited: which are used, what the FAT says, and
/// what moves where.
class EditedSectors {
 public:
  explicit EditedSectors(const CompoundFile& file);

  /// What the FAT says of a sector, also of one that it is yet to be extended to.
  Result<std::uint32_t> next(std::uint32_t sector) const;
  /// Sectors of the file up to the last one that is used.
  [[nodiscard]] std::uint64_t count() const { return used_.end(); }
  [[nodiscard]] std::uint64_t used_count() const { return used_.count(); }

  /// A sector that is free, at the lowest place; used from now on, as the end of a chain.
  Result<std::uint32_t> allocate();
  /// A chain of `count` new sectors; kEndOfChain for none.
  Result<std::vector<std::uint32_t>> allocate_chain(std::uint64_t count);
  /// Frees the sectors of a chain up to `count`.
  Result<void> free_chain(std::uint32_t start, std::uint64_t count);
  Result<void> free_sector(std::uint32_t sector);
  /// Lets the chain that ends at `sector` go on at `next`.
  Result<void> link(std::uint32_t sector, std::uint32_t next) { return set_fat(sector, next); }
  /// Gives the FAT and the DIFAT the size that the sectors need. With `trim`, no more than that.
  Result<void> fit_tables(bool trim);
  /// Whether sectors lie behind others that are free.
  [[nodiscard]] bool has_holes() const { return used_.count() != used_.end(); }
  /// Moves whatever lies at or behind `limit` of the chain at `start` to holes below it; `start`
  /// follows.
  Result<void> close_up(std::uint32_t& start, std::uint64_t limit);
  /// The same for the tables themselves.
  Result<void> close_up_tables(std::uint64_t limit);

  void emit(Header& header, PatchSet& patches) const;

 private:
  Result<void> use(std::uint32_t sector, std::uint32_t value);
  Result<void> set_fat(std::uint32_t sector, std::uint32_t value);
  Result<void> drop_range_lock();
  Result<std::uint32_t> take_hole(std::uint64_t limit);
  void note_move(std::uint32_t from, std::uint32_t to);

  const CompoundFile& file_;
  const Header& header_;
  EditedTable fat_;
  std::vector<std::uint32_t> difat_;
  bool difat_changed_{false};
  SectorSet used_;
  bool locked_;                  ///< There is a range lock sector.
  std::uint64_t first_hole_{0};  ///< No sector below is free.
  std::vector<Move> moves_;
  std::map<std::uint32_t, std::uint32_t> late_;  ///< FAT entries of sectors the FAT does not reach.
};

}  // namespace signctl::msi
