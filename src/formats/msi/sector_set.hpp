// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace signctl::msi {

/// Which sectors of a file are in use, a bit each.
class SectorSet {
 public:
  SectorSet() = default;
  explicit SectorSet(std::uint64_t size) : bits_((size + 63) / 64), size_(size) {}

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool has(std::uint64_t sector) const {
    return sector < size_ && (bits_[sector / 64] >> (sector % 64) & 1U) != 0;
  }
  /// Grows as needed. False if it was there already.
  bool add(std::uint64_t sector) {
    if (sector >= size_) {
      size_ = sector + 1;
      bits_.resize((size_ + 63) / 64);
    }
    if (has(sector)) {
      return false;
    }
    bits_[sector / 64] |= std::uint64_t{1} << (sector % 64);
    ++count_;
    return true;
  }
  void remove(std::uint64_t sector) {
    if (has(sector)) {
      bits_[sector / 64] &= ~(std::uint64_t{1} << (sector % 64));
      --count_;
    }
  }
  /// The first sector from `from` on that is not in the set; size() or more if all are.
  [[nodiscard]] std::uint64_t next_absent(std::uint64_t from) const {
    while (from < size_) {
      if (from % 64 == 0 && bits_[from / 64] == UINT64_MAX) {
        from += 64;
      } else if (has(from)) {
        ++from;
      } else {
        return from;
      }
    }
    return from;
  }
  /// The first sector from `from` on that is in the set; size() if none is.
  [[nodiscard]] std::uint64_t next_present(std::uint64_t from) const {
    while (from < size_ && !has(from)) {
      from += from % 64 == 0 && bits_[from / 64] == 0 ? 64 : 1;
    }
    return from < size_ ? from : size_;
  }
  /// One more than the last sector in the set; 0 if it is empty.
  [[nodiscard]] std::uint64_t end() const {
    std::uint64_t end = size_;
    while (end > 0 && !has(end - 1)) {
      --end;
    }
    return end;
  }

 private:
  std::vector<std::uint64_t> bits_;
  std::uint64_t size_{0};
  std::uint64_t count_{0};
};

}  // namespace signctl::msi
