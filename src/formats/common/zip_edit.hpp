// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signctl::zip {

/// What an entry is to hold: packed already, so that its size is known and its bytes need not be in
/// memory.
struct Content {
  std::shared_ptr<const ByteSource> packed;
  std::uint16_t method{kStored};
  std::uint32_t crc32{};
  std::uint64_t size{};  ///< Unpacked.
};

/// Bytes as they are.
Result<Content> store(std::shared_ptr<const ByteSource> bytes);
[[nodiscard]] Content store(ByteView bytes);

/// Bytes deflated in one stream, large ones into a temporary. The same bytes always give the same.
///
/// @errors `output` without room; those of reading.
Result<Content> deflate_source(const ByteSource& bytes);
[[nodiscard]] Content deflate(ByteView bytes);

/// Bytes deflated so that each block of `block_size` can be unpacked alone (a full flush behind
/// each), as the block map of a package wants it.
struct DeflatedBlocks {
  Content content;
  std::vector<std::uint32_t> packed_sizes;  ///< One for each block; they add up to the whole.
};
Result<DeflatedBlocks> deflate_blocks(const ByteSource& bytes, std::size_t block_size);

/// Changes to an archive, as the edits that make them.
///
/// What stays keeps its bytes: local records move as they are, central headers change in their
/// offset only. New entries have no data descriptor, no attributes, and 1980-01-01 as their time,
/// so that the same input gives the same output; replaced ones keep their time. There are ZIP64
/// records where a value needs them, or where there were some.
class Edit {
 public:
  /// Both outlive this object.
  Edit(const ByteSource& source, const Archive& archive) : source_(source), archive_(archive) {}

  /// Takes an entry out.
  void drop(std::size_t index) { fates_[index] = Fate{}; }
  /// Gives an entry other content, at its place among the records and in the directory.
  void replace(std::size_t index, Content content);
  /// Gives an entry other content, behind all others among the records and in the directory.
  void replace_at_end(std::size_t index, Content content);
  /// Adds an entry behind all others.
  ///
  /// @param name  As it is to be stored; UTF-8.
  void append(std::string name, Content content);

  /// The edits. Deterministic; may be called again after more changes.
  ///
  /// @errors those of reading the archive; `unsupported` when a name or the number of entries is
  ///         more than ZIP holds.
  [[nodiscard]] Result<PatchSet> finish() const;

  /// Where the local record of the last appended entry will begin.
  [[nodiscard]] Result<std::uint64_t> last_record_offset() const;

  /// Where the packed bytes of an entry that stays, or is replaced in place, will begin.
  ///
  /// @errors also `internal` for an entry that is gone.
  [[nodiscard]] Result<std::uint64_t> data_offset(std::size_t index) const;

 private:
  class Writer;
  struct Added {
    std::string name;
    std::uint16_t flags{};
    std::uint32_t dos_time{};
    Content content;
  };
  /// What becomes of an entry that does not stay: replaced in place, or gone.
  struct Fate {
    std::shared_ptr<Content> replacement;
  };

  Result<std::uint32_t> dos_time(std::size_t index) const;

  const ByteSource& source_;
  const Archive& archive_;
  std::map<std::size_t, Fate> fates_;
  struct Tail {
    Added added;
    std::optional<std::size_t> time_of;  ///< The entry whose time it takes over.
  };
  std::vector<Tail> tail_;
};

}  // namespace signctl::zip
