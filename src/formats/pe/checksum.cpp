// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/checksum.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace signctl::pe {
namespace {

constexpr std::size_t kWord = 4;

/// Sum of bytes weighted by their place in their 32-bit word.
std::uint64_t weigh(std::uint64_t offset, ByteView bytes) {
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : bytes) {
    sum += std::uint64_t{byte} << (8U * (offset % kWord));
    ++offset;
  }
  return sum;
}

/// Sum of whole 32-bit words, two at a time: this runs over every byte of every file.
std::uint64_t sum_words(ByteView bytes) {
  if constexpr (std::endian::native != std::endian::little) {
    return weigh(0, bytes);
  }
  static constexpr std::size_t kPair = 2 * kWord;
  static constexpr std::uint64_t kLow = 0xFFFFFFFFU;
  const std::size_t paired = bytes.size() / kPair * kPair;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (std::size_t i = 0; i < paired; i += kPair) {
    std::uint64_t pair = 0;
    std::memcpy(&pair, bytes.data() + i, kPair);
    low += pair & kLow;
    high += pair >> 32U;
  }
  return low + high + weigh(0, bytes.subspan(paired));
}

}  // namespace

void ChecksumSum::add(std::uint64_t offset, ByteView bytes) {
  const std::size_t lead =
      std::min(bytes.size(), static_cast<std::size_t>((kWord - offset % kWord) % kWord));
  const std::size_t whole = (bytes.size() - lead) / kWord * kWord;
  sum_ += weigh(offset, bytes.first(lead));
  sum_ += sum_words(bytes.subspan(lead, whole));
  sum_ += weigh(offset + lead + whole, bytes.subspan(lead + whole));
}

void ChecksumSum::subtract(std::uint64_t offset, ByteView bytes) {
  sum_ -= weigh(offset, bytes);
}

std::uint32_t ChecksumSum::value(std::uint64_t file_size) const {
  std::uint64_t sum = sum_;
  while (sum > 0xFFFF) {
    sum = (sum & 0xFFFFU) + (sum >> 16U);
  }
  return static_cast<std::uint32_t>(sum + file_size);
}

}  // namespace signctl::pe
