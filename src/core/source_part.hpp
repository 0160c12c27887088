// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>

namespace signctl {

/// A range of another source, seen as a source of its own. Keeps the other one alive.
class SourcePart final : public ByteSource {
 public:
  /// @errors `input` when the range is not inside `whole`.
  static Result<std::shared_ptr<const ByteSource>> of(std::shared_ptr<const ByteSource> whole,
                                                      std::uint64_t offset,
                                                      std::uint64_t size);

  SourcePart(std::shared_ptr<const ByteSource> whole, std::uint64_t offset, std::uint64_t size)
      : whole_(std::move(whole)), offset_(offset), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  std::shared_ptr<const ByteSource> whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace signctl
