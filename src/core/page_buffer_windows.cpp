// SPDX-License-Identifier: Apache-2.0
#include "core/page_buffer.hpp"
#include "core/windows_api.hpp"

#include <new>

namespace signctl {

PageBuffer::PageBuffer(std::size_t size) {
  void* memory = ::VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  bytes_ = {static_cast<std::uint8_t*>(memory), size};
}

PageBuffer::~PageBuffer() {
  (void)::VirtualFree(bytes_.data(), 0, MEM_RELEASE);
}

}  // namespace signctl
