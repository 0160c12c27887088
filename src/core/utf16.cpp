// SPDX-License-Identifier: Apache-2.0
#include "core/utf16.hpp"

#include <cstddef>

namespace signctl {

std::optional<std::string> ascii_of_utf16(ByteView bytes) {
  constexpr std::uint8_t kFirstBeyondAscii = 0x80;
  if (bytes.size() < 2) {
    return std::nullopt;
  }
  const bool is_little = bytes[0] == 0xFF && bytes[1] == 0xFE;
  const bool is_big = bytes[0] == 0xFE && bytes[1] == 0xFF;
  if (!is_little && !is_big) {
    return std::nullopt;
  }
  std::string text;
  text.reserve(bytes.size() / 2);
  for (std::size_t i = 2; i + 1 < bytes.size(); i += 2) {
    const std::uint8_t low = bytes[is_little ? i : i + 1];
    const std::uint8_t high = bytes[is_little ? i + 1 : i];
    text += high == 0 && low < kFirstBeyondAscii ? static_cast<char>(low) : '?';
  }
  return text;
}

}  // namespace signctl
