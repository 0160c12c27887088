// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/directory.hpp"
#include "formats/msi/header.hpp"
#include "formats/msi/sector_set.hpp"
#include "formats/msi/sector_table.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signctl::msi {

/// Where a chain of sectors goes. Not all of it: every kCheckpoint-th sector, and the table has the
/// rest, so that a file in pieces costs no more memory than one that is not.
struct Chain {
  static constexpr std::uint64_t kCheckpoint = 1024;
  std::uint64_t sectors{};
  std::vector<std::uint32_t> checkpoints;
};

/// A run of bytes in the file.
struct Piece {
  std::uint64_t offset{};
  std::uint64_t size{};
};

/// An opened compound file. Everything was walked once when it was opened: chains end where the
/// sizes say, stay inside the file and meet no sector twice, which bounds all later work by the
/// size of the file. Immutable, and safe to use from several threads.
class CompoundFile {
 public:
  /// @errors `input` when it is malformed; `unsupported` when it is larger than kMaxSectors allow.
  static Result<std::shared_ptr<const CompoundFile>> open(std::shared_ptr<const ByteSource> source);

  CompoundFile(std::shared_ptr<const ByteSource> source, const Header& header);

  [[nodiscard]] const ByteSource& source() const { return *source_; }
  [[nodiscard]] const std::shared_ptr<const ByteSource>& shared_source() const { return source_; }
  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] const SectorTable& fat() const { return *fat_; }
  [[nodiscard]] const SectorTable& minifat() const { return *minifat_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const Tree& tree() const { return tree_; }
  [[nodiscard]] const Entry& root() const { return entries_.front(); }
  [[nodiscard]] const std::vector<std::uint32_t>& directory_sectors() const {
    return directory_sectors_;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& difat_sectors() const { return difat_sectors_; }
  /// Sectors in the file, a last one that is cut short included.
  [[nodiscard]] std::uint64_t sector_count() const { return sector_count_; }
  /// The sectors that something refers to.
  [[nodiscard]] const SectorSet& used() const { return used_; }
  [[nodiscard]] const SectorSet& used_mini() const { return used_mini_; }
  /// Whether kRangeLockSector is what it is for.
  [[nodiscard]] bool has_range_lock() const { return range_lock_; }
  /// Sectors of streams whose chain goes on behind the end of the stream.
  [[nodiscard]] const std::vector<std::uint32_t>& overlong_ends() const { return overlong_ends_; }
  /// The same in the mini stream.
  [[nodiscard]] const std::vector<std::uint32_t>& overlong_mini_ends() const {
    return overlong_mini_ends_;
  }
  /// Whether the entry is part of the tree.
  [[nodiscard]] bool is_reached(std::uint32_t entry) const {
    return entry < reached_.size() && reached_[entry];
  }
  /// Position in the directory of a stream of the root storage.
  [[nodiscard]] std::optional<std::uint32_t> find_in_root(std::u16string_view name) const;

  /// Calls `visit` with the pieces of a stream in order, joined where they touch.
  Result<void> for_each_piece(std::uint32_t entry,
                              const std::function<bool(const Piece&)>& visit) const;
  /// The bytes of the stream at `entry`, from `offset`.
  Result<void> read(std::uint32_t entry, std::uint64_t offset, std::span<std::uint8_t> out) const;
  /// A whole stream, which must not be larger than `limit`.
  Result<Bytes> read_all(std::uint32_t entry, std::uint64_t limit) const;

 private:
  Result<void> load_tables();
  Result<std::vector<std::uint32_t>> load_difat();
  Result<void> load_directory();
  Result<void> load_minifat();
  Result<void> load_streams();
  Result<void> claim(std::uint64_t first, std::uint64_t count, const std::string& what);
  Result<std::vector<std::uint32_t>> claim_list(std::uint32_t start,
                                                std::uint64_t limit,
                                                const std::string& what);
  Result<Chain> claim_chain(std::uint32_t start, std::uint64_t sectors, const std::string& what);
  Result<void> claim_mini(const Entry& entry, const std::string& what);
  Result<void> read_regular(const Chain& chain,
                            std::uint64_t offset,
                            std::span<std::uint8_t> out) const;
  Result<void> pieces_of(const Chain& chain,
                         std::uint64_t offset,
                         std::uint64_t size,
                         const std::function<bool(const Piece&)>& visit) const;
  Result<void> mini_pieces(const Entry& entry,
                           const std::function<bool(const Piece&)>& visit) const;

  std::shared_ptr<const ByteSource> source_;
  Header header_;
  std::uint64_t sector_count_{0};
  std::optional<SectorTable> fat_;
  std::optional<SectorTable> minifat_;
  std::vector<std::uint32_t> difat_sectors_;
  std::vector<std::uint32_t> directory_sectors_;
  std::vector<Entry> entries_;
  Tree tree_;
  std::vector<bool> reached_;
  Chain mini_stream_;
  std::vector<Chain> chains_;  ///< By directory position; empty for what is in the mini stream.
  SectorSet used_;
  bool range_lock_{false};
  SectorSet used_mini_;
  std::vector<std::uint32_t> overlong_ends_;
  std::vector<std::uint32_t> overlong_mini_ends_;
};

/// A stream as a source of its own; shares the file.
[[nodiscard]] std::shared_ptr<const ByteSource> stream_source(
    std::shared_ptr<const CompoundFile> file, std::uint32_t entry);

}  // namespace signctl::msi
