// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/msi/directory.hpp"

namespace signctl::msi {
namespace {

// Windows Installer's packing: U+3800 + a + 64 b, U+4800 + a, and U+4840 before a table's name.
constexpr char16_t kPairs = 0x3800;
constexpr char16_t kSingles = 0x4800;
constexpr char16_t kTable = 0x4840;
constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";

void put_utf8(std::string& text, char32_t point) {
  const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0U | point >> 6U);
    put(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    put(0xE0U | point >> 12U);
    put(0x80U | (point >> 6U & 0x3FU));
    put(0x80U | (point & 0x3FU));
  } else {
    put(0xF0U | point >> 18U);
    put(0x80U | (point >> 12U & 0x3FU));
    put(0x80U | (point >> 6U & 0x3FU));
    put(0x80U | (point & 0x3FU));
  }
}

bool is_high(char16_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low(char16_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

}  // namespace

std::u16string encode_table_name(std::string_view table) {
  std::u16string name{kTable};
  for (std::size_t i = 0; i < table.size(); i += 2) {
    const auto first = static_cast<char16_t>(kAlphabet.find(table[i]));
    name.push_back(
        i + 1 < table.size()
            ? static_cast<char16_t>(kPairs + first +
                                    64 * static_cast<char16_t>(kAlphabet.find(table[i + 1])))
            : static_cast<char16_t>(kSingles + first));
  }
  return name;
}

std::string decode_name(std::u16string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char16_t unit = name[i];
    if (unit >= kPairs && unit < kSingles) {
      text.push_back(kAlphabet[(unit - kPairs) & 0x3FU]);
      text.push_back(kAlphabet[(unit - kPairs) >> 6U & 0x3FU]);
    } else if (unit >= kSingles && unit < kTable) {
      text.push_back(kAlphabet[unit - kSingles]);
    } else if (unit == kTable) {
      text.push_back('!');
    } else if (unit == u'/' || unit == u'\\') {
      text.push_back('_');
    } else if (is_high(unit) && i + 1 < name.size() && is_low(name[i + 1])) {
      put_utf8(text, 0x10000U + ((unit - 0xD800U) << 10U) + (name[i + 1] - 0xDC00U));
      ++i;
    } else {
      put_utf8(text, is_high(unit) || is_low(unit) ? 0xFFFDU : unit);
    }
  }
  return printable(text);
}

}  // namespace signctl::msi
