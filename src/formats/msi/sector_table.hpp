// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/header.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace signctl::msi {

/// Neighbouring sectors of a chain.
struct Run {
  std::uint64_t count{};  ///< Sectors that follow each other, at least one.
  std::uint32_t next{};   ///< What the table says behind the last of them.
};

/// The FAT or the MiniFAT, read a sector at a time: that of a large file would not fit the memory
/// that signctl allows itself. Safe to use from several threads.
class SectorTable {
 public:
  /// @param pages  Numbers of the sectors that hold the table, in order; all inside the source.
  SectorTable(std::shared_ptr<const ByteSource> source,
              const Header& header,
              std::vector<std::uint32_t> pages);

  /// Number of entries.
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{per_page_} * pages_.size(); }
  [[nodiscard]] const std::vector<std::uint32_t>& pages() const { return pages_; }
  [[nodiscard]] std::uint32_t per_page() const { return per_page_; }

  /// The entry of `sector`.
  ///
  /// @errors `input` when the table has no such entry.
  Result<std::uint32_t> at(std::uint64_t sector) const;
  /// The sectors from `first` on that the table chains in ascending order, at most `limit`.
  Result<Run> run(std::uint64_t first, std::uint64_t limit) const;
  /// All entries of one page.
  Result<std::vector<std::uint32_t>> page(std::size_t index) const;

 private:
  struct Slot {
    std::uint64_t page{UINT64_MAX};
    std::vector<std::uint32_t> entries;
  };
  Result<const std::vector<std::uint32_t>*> load(std::uint64_t page) const;

  std::shared_ptr<const ByteSource> source_;
  Header header_;
  std::uint32_t per_page_;
  std::vector<std::uint32_t> pages_;
  mutable std::mutex mutex_;
  mutable std::vector<Slot> slots_;
};

}  // namespace signctl::msi
