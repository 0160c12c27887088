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

}  // namespace signctl
