// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "formats/script/text.hpp"

#include <algorithm>
#include <array>

namespace signctl::script {
namespace {

// Windows code page 1252 from 0x80 to 0x9F. Windows maps the five octets that the page leaves open
// to the control characters of the same number.
constexpr std::array<std::uint16_t, 32> k1252{
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

std::uint32_t from_1252(std::uint8_t octet) {
  return octet >= 0x80 && octet < 0xA0 ? k1252[octet - 0x80U] : octet;
}

/// Collects UTF-16LE and passes it on in pieces.
class Utf16Sink {
 public:
  explicit Utf16Sink(std::span<crypto::Hasher> hashers) : hashers_(hashers) {
    buffer_.reserve(kFlushAt + 4);
  }

  void put(std::uint32_t code_point) {
    constexpr std::uint32_t kFirstPair = 0x10000;
    if (code_point < kFirstPair) {
      put_unit(code_point);
      return;
    }
    // The Unicode Standard, 3.9, D91.
    put_unit(0xD800U + ((code_point - kFirstPair) >> 10U));
    put_unit(0xDC00U + ((code_point - kFirstPair) & 0x3FFU));
  }

  void put_unit(std::uint32_t unit) {
    buffer_.push_back(static_cast<std::uint8_t>(unit & 0xFFU));
    buffer_.push_back(static_cast<std::uint8_t>(unit >> 8U));
    ++units_;
    if (buffer_.size() >= kFlushAt) {
      flush();
    }
  }

  std::uint64_t finish() {
    flush();
    return units_;
  }

 private:
  static constexpr std::size_t kFlushAt = 1U << 16U;

  void flush() {
    for (crypto::Hasher& hasher : hashers_) {
      hasher.update(buffer_);
    }
    buffer_.clear();
  }

  std::span<crypto::Hasher> hashers_;
  Bytes buffer_;
  std::uint64_t units_{0};
};

}  // namespace

std::uint64_t Text::hash_utf16(std::size_t begin,
                               std::size_t end,
                               std::span<crypto::Hasher> hashers) const {
  Utf16Sink sink(hashers);
  if (encoding_ == Encoding::utf8) {
    std::string_view rest = as_text(ByteView(bytes_).subspan(begin, end - begin));
    while (!rest.empty()) {
      // check() has seen to it that this is UTF-8; a size of 0 would never end.
      const CodePoint point = first_code_point(rest);
      sink.put(point.value);
      rest.remove_prefix(std::max<std::size_t>(point.size, 1));
    }
    return sink.finish();
  }
  for (std::size_t i = begin; i < end; i += unit_size()) {
    const std::uint32_t value = unit(i);
    sink.put_unit(encoding_ == Encoding::windows_1252 ? from_1252(static_cast<std::uint8_t>(value))
                                                      : value);
  }
  return sink.finish();
}

}  // namespace signctl::script
