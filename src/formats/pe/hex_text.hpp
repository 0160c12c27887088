// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace signctl::pe {

/// "0x" and `digits` hexadecimal digits, for messages.
[[nodiscard]] inline std::string hex_text(std::uint32_t value, unsigned digits) {
  std::string text = "0x";
  for (unsigned digit = digits; digit > 0; --digit) {
    text += "0123456789abcdef"[value >> (4U * (digit - 1)) & 0xFU];
  }
  return text;
}

}  // namespace signctl::pe
