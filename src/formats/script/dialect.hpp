// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/sip_info.hpp"

#include <signctl/bytes.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace signctl::script {

/// How a text is stored.
enum class Encoding { utf8, utf16_le, utf16_be, windows_1252 };

using sip::Sip;

/// The rules of one file name extension: what a signature block looks like in it, and what of the
/// text is hashed.
struct Dialect {
  std::string_view extension;
  std::string_view title;  ///< "PowerShell script"
  std::string_view open;   ///< In front of each line of base64.
  std::string_view close;  ///< Behind it.
  std::string_view begin;  ///< The complete first line of a block.
  std::string_view end;    ///< The complete last line.
  /// The block stands before the last occurrence of this; empty: at the end of the text.
  std::string_view before;
  Encoding without_mark;  ///< Of a text without a byte order mark.
  bool mark_hashed;       ///< A byte order mark counts as U+FEFF at the front of the text.
  bool position_hashed;   ///< The place of the block, in UTF-16 units, is hashed after the text.
  const Sip* sip;
};

/// All of them, in the order in which they are listed to people.
[[nodiscard]] std::span<const Dialect> dialects();

/// The dialect of an extension (lower case, without the dot); null if there is none.
[[nodiscard]] const Dialect* find_dialect(std::string_view extension);

/// Whether it names the encoded form of a script (VBScript.Encode, JScript.Encode), whose
/// signatures nobody has documented.
[[nodiscard]] bool is_encoded_script(std::string_view extension);

}  // namespace signctl::script
