// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/crc32c.hpp"

#include <array>

namespace signctl::providers::google_kms {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78;  // RFC 3720, 12.1
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1U) ^ kReflectedPolynomial : value >> 1U;
    }
    table[i] = value;
  }
  return table;
}

constexpr auto kTable = make_table();

}  // namespace

std::uint32_t crc32c(ByteView bytes) {
  std::uint32_t sum = 0xFFFFFFFF;
  for (const std::uint8_t octet : bytes) {
    sum = kTable[(sum ^ octet) & 0xFFU] ^ (sum >> 8U);
  }
  return ~sum;
}

std::string crc32c_text(ByteView bytes) {
  return std::to_string(crc32c(bytes));
}

}  // namespace signctl::providers::google_kms
