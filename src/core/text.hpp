// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signctl {

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// Inverse of to_hex, either case; empty optional for anything else.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

/// Standard base64 (RFC 4648, 4) with padding, without line breaks.
[[nodiscard]] std::string to_base64(ByteView bytes);
/// Inverse; blanks and line breaks are skipped, anything else wrong gives an empty optional.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

/// ISO 8601 in UTC: "2026-11-23T10:41:54Z".
[[nodiscard]] std::string to_iso8601(TimePoint time);
/// Inverse; also a bare date. Empty optional for anything else.
[[nodiscard]] std::optional<TimePoint> from_iso8601(std::string_view text);

/// `text` with control characters, and bytes that are not UTF-8, as \xNN: safe for a terminal.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] std::string to_lower(std::string_view ascii);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);

/// The candidate nearest to `word` by edit distance, if near enough to be a typo of it.
[[nodiscard]] std::optional<std::string> did_you_mean(std::string_view word,
                                                      std::span<const std::string> candidates);

/// "500ms", "30s", "15m", "2h" as milliseconds; empty optional for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The bytes of a text, for hashing and comparing.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
/// The text that octets hold, unchecked.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace signctl
