// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signctl {

/// One code point at the front of a text. size 0: the bytes there are not UTF-8.
struct CodePoint {
  std::uint32_t value{};
  std::size_t size{};  ///< In bytes.
};

/// The first code point of a text that is not empty.
///
/// RFC 3629, 3: shortest form only, no surrogates, nothing above U+10FFFF.
[[nodiscard]] CodePoint first_code_point(std::string_view text);

/// Whether all of a text is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` without the byte order mark that Windows programs put before UTF-8.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

/// Whether a text begins with a byte order mark of UTF-16.
[[nodiscard]] bool has_utf16_mark(std::string_view text);

/// What to do about a text that is in another encoding.
inline constexpr std::string_view kSaveAsUtf8 =
    "save it as UTF-8; Windows PowerShell writes UTF-16 unless told otherwise";

}  // namespace signctl
