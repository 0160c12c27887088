// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signctl {

/// Memory for blocks of a file on their way through: whole pages, not cleared by us, and there from
/// the start. An ordinary allocation of this size is mapped page by page as it is touched, and each
/// of these faults costs more than reading the page does.
class PageBuffer {
 public:
  /// `size` bytes whose content is unspecified. Throws std::bad_alloc where there is no memory.
  explicit PageBuffer(std::size_t size);
  ~PageBuffer();
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  PageBuffer(PageBuffer&&) = delete;
  PageBuffer& operator=(PageBuffer&&) = delete;

  [[nodiscard]] std::span<std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<std::uint8_t> bytes_;
};

}  // namespace signctl
