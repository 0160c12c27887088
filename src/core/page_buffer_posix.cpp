// SPDX-License-Identifier: Apache-2.0
#include "core/page_buffer.hpp"

#include <new>
#include <sys/mman.h>

namespace signctl {

namespace {

#if defined(MAP_POPULATE)
constexpr int kPopulate = MAP_POPULATE;
#else
constexpr int kPopulate = 0;
#endif

}  // namespace

PageBuffer::PageBuffer(std::size_t size) {
  void* memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kPopulate, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::bad_alloc();
  }
  bytes_ = {static_cast<std::uint8_t*>(memory), size};
}

PageBuffer::~PageBuffer() {
  (void)::munmap(bytes_.data(), bytes_.size());
}

}  // namespace signctl
