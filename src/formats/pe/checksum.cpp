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

/// Sum of whole 32-bit words; plain enough for compilers to vectorise, because this runs over every
/// byte of every file.
std::uint64_t sum_words(ByteView bytes) {
  if constexpr (std::endian::native != std::endian::little) {
    return weigh(0, bytes);
  }
  std::uint64_t sum = 0;
  const std::uint8_t* data = bytes.data();
  for (std::size_t i = 0; i < bytes.size(); i += kWord) {
    std::uint32_t word = 0;
    std::memcpy(&word, data + i, kWord);
    sum += word;
  }
  return sum;
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
