// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <map>
#include <vector>

namespace signctl::msi {

/// The directory with changes on top. Of entries that stay, only the fields that change are
/// written: what old writers left in the others is none of our business.
class EditedDirectory {
 public:
  explicit EditedDirectory(const CompoundFile& file)
      : entries_(file.entries()), major_version_(file.header().major_version) {}

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool has_free_entry() const;
  /// Makes room for `count` more.
  void grow(std::size_t count);
  /// Takes free entries off the end.
  void shrink(std::size_t count) {
    entries_.resize(count);
    dirty_.erase(dirty_.lower_bound(static_cast<std::uint32_t>(count)), dirty_.end());
  }

  /// Puts a stream into the root storage, at the first free entry. It becomes a leaf of the tree
  /// and nothing is rotated, so that taking it out again leaves the tree as it was; [MS-CFB] 2.6.4
  /// asks for order and for no two red entries in a row, and not for balance.
  ///
  /// @errors `input` when something else has the name.
  Result<std::uint32_t> insert(std::u16string_view name);
  /// Takes an entry of the root storage out.
  void remove(std::uint32_t number);

  void set_location(std::uint32_t number, std::uint32_t start, std::uint64_t size);

  /// @param sectors  Where the directory is.
  void emit(const Header& header,
            const std::vector<std::uint32_t>& sectors,
            std::vector<Patch>& patches) const;

 private:
  enum Part : unsigned { kLinks = 1, kLocation = 2, kWhole = 4 };

  void replace_link(std::uint32_t from, std::uint32_t to);
  /// What takes the place of an entry that goes.
  std::uint32_t successor_of(std::uint32_t number);
  void touch(std::uint32_t number, Part part) { dirty_[number] |= part; }

  std::vector<Entry> entries_;
  std::uint16_t major_version_;
  std::map<std::uint32_t, unsigned> dirty_;
};

}  // namespace signctl::msi
