// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <map>
#include <memory>

namespace signctl {

/// What a file will be once edits are applied, without writing it: to hash it, or to read it by the
/// code that reads files.
class PatchedSource final : public ByteSource {
 public:
  /// @errors `internal` for edits that take bytes the input does not have.
  static Result<std::shared_ptr<const ByteSource>> make(std::shared_ptr<const ByteSource> input,
                                                        PatchSet patches);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  /// A run of bytes of one origin. Neither a source nor bytes: zeros.
  struct Segment {
    std::uint64_t size{};
    const ByteSource* source{};
    const std::uint8_t* bytes{};
    std::uint64_t from{};  ///< In `source` or `bytes`.
  };

  PatchedSource(std::shared_ptr<const ByteSource> input, PatchSet patches)
      : input_(std::move(input)), patches_(std::move(patches)) {}
  Result<void> lay_out();
  void put(std::uint64_t offset, const Segment& segment);
  void make_room(std::uint64_t begin, std::uint64_t end);
  void split_at(std::uint64_t offset);

  std::shared_ptr<const ByteSource> input_;
  PatchSet patches_;
  std::map<std::uint64_t, Segment> segments_;  ///< By offset; together they are the whole file.
  std::uint64_t size_{0};
};

}  // namespace signctl
