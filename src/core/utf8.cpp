// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.hpp"

#include <array>

namespace signctl {

namespace {

/// A form of RFC 3629, 3: what the first octet looks like, and the smallest value that needs it.
struct Form {
  unsigned mask;
  unsigned lead;
  std::size_t size;
  std::uint32_t smallest;
};

constexpr std::array<Form, 4> kForms{{
    {0x80, 0x00, 1, 0},
    {0xE0, 0xC0, 2, 0x80},
    {0xF0, 0xE0, 3, 0x800},
    {0xF8, 0xF0, 4, 0x10000},
}};

bool is_scalar(std::uint32_t value) {
  return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

CodePoint decode(std::string_view text, const Form& form) {
  if (text.size() < form.size) {
    return {};
  }
  std::uint32_t value = static_cast<unsigned char>(text[0]) & ~form.mask & 0xFFU;
  for (const char c : text.substr(1, form.size - 1)) {
    const unsigned octet = static_cast<unsigned char>(c);
    if ((octet & 0xC0U) != 0x80U) {
      return {};
    }
    value = (value << 6U) | (octet & 0x3FU);
  }
  return value >= form.smallest && is_scalar(value) ? CodePoint{value, form.size} : CodePoint{};
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  for (const Form& form : kForms) {
    if (!text.empty() && (static_cast<unsigned char>(text[0]) & form.mask) == form.lead) {
      return decode(text, form);
    }
  }
  return {};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (point.size == 0) {
      return false;
    }
    text.remove_prefix(point.size);
  }
  return true;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(kMark) ? kMark.size() : 0);
  return text;
}

bool has_utf16_mark(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

}  // namespace signctl
