// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace signctl {

/// Overwrites memory with zeros in a way that no optimiser may leave out.
inline void wipe_memory(void* data, std::size_t size) noexcept {
  // Accesses through a volatile pointer are side effects (C++20, 4.1.1, 7), so they stay even when
  // the memory is about to be released.
  auto* const bytes = static_cast<volatile unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = 0;
  }
}

/// Wipes all that a string holds, including what lies between its size and its capacity, and
/// empties it.
inline void wipe_string(std::string& text) noexcept {
  // Up to its capacity a string does not reallocate, so this cannot throw either.
  text.resize(text.capacity());
  wipe_memory(text.data(), text.size());
  text.clear();
}

}  // namespace signctl
