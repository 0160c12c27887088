// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace signctl {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<unsigned>(c - 'a') + 10U;
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<unsigned>(c - 'A') + 10U;
  }
  return std::nullopt;
}

constexpr std::uint8_t kNotBase64 = 0xFF;

constexpr std::array<std::uint8_t, 256> make_base64_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotBase64);
  for (std::size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kBase64Values = make_base64_values();

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void put_decimal(std::string& out, unsigned value, std::size_t width) {
  const std::string digits = std::to_string(value);
  out.append(width > digits.size() ? width - digits.size() : 0, '0');
  out += digits;
}

/// Exactly `width` decimal digits at the front of `text`, taken off.
std::optional<unsigned> take_decimal(std::string_view& text, std::size_t width) {
  unsigned value = 0;
  if (text.size() < width) {
    return std::nullopt;
  }
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10U + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_decimal(text, 4);
  if (!year || !take_char(text, '-')) {
    return std::nullopt;
  }
  const auto month = take_decimal(text, 2);
  if (!month || !take_char(text, '-')) {
    return std::nullopt;
  }
  const auto day = take_decimal(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month},
                                         std::chrono::day{*day}};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days{date};
}

std::optional<std::chrono::seconds> take_time_of_day(std::string_view& text) {
  const auto hours = take_decimal(text, 2);
  if (!hours || *hours > 23 || !take_char(text, ':')) {
    return std::nullopt;
  }
  const auto minutes = take_decimal(text, 2);
  if (!minutes || *minutes > 59 || !take_char(text, ':')) {
    return std::nullopt;
  }
  const auto seconds = take_decimal(text, 2);
  if (!seconds || *seconds > 59) {
    return std::nullopt;
  }
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes} +
         std::chrono::seconds{*seconds};
}

/// Whether a terminal or an editor would do something with it other than show it: C0, DEL, C1,
/// line and paragraph separators, the bidirectional controls (which can make a name read
/// backwards), invisible fillers and tags.
bool is_unsafe(std::uint32_t c) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  static constexpr std::array<Range, 10> kUnsafe{{
      {0x00, 0x1F},
      {0x7F, 0x9F},
      {0x061C, 0x061C},
      {0x200B, 0x200B},
      {0x200E, 0x200F},
      {0x2028, 0x202E},
      {0x2060, 0x206F},
      {0xFEFF, 0xFEFF},
      {0xFFF9, 0xFFFB},
      {0xE0000, 0xE007F},
  }};
  return std::any_of(kUnsafe.begin(), kUnsafe.end(), [c](const Range& range) {
    return c >= range.first && c <= range.last;
  });
}

void put_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const unsigned value = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHexDigits[value >> 4U];
    out += kHexDigits[value & 0x0FU];
  }
}

/// Edit distance where swapping two neighbours counts as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 0x0FU];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = hex_value(text[i]);
    const auto low = hex_value(text[i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::uint8_t>((*high << 4U) | *low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16U;
    group |= count > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8U : 0U;
    group |= count > 2 ? static_cast<std::uint32_t>(bytes[i + 2]) : 0U;
    text += kBase64Digits[(group >> 18U) & 0x3FU];
    text += kBase64Digits[(group >> 12U) & 0x3FU];
    text += count > 1 ? kBase64Digits[(group >> 6U) & 0x3FU] : '=';
    text += count > 2 ? kBase64Digits[group & 0x3FU] : '=';
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (is_blank(c)) {
      continue;
    }
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::uint8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value == kNotBase64 || padding != 0) {
      return std::nullopt;
    }
    group = (group << 6U) | value;
    if (++digits % 4 == 0) {
      bytes.push_back(static_cast<std::uint8_t>((group >> 16U) & 0xFFU));
      bytes.push_back(static_cast<std::uint8_t>((group >> 8U) & 0xFFU));
      bytes.push_back(static_cast<std::uint8_t>(group & 0xFFU));
      group = 0;
    }
  }
  const std::size_t rest = digits % 4;
  if (rest == 1 || padding != (4 - rest) % 4) {
    return std::nullopt;
  }
  // RFC 4648, 3.5: the bits that no byte uses must be zero, so that a value has one text only.
  if (rest == 2) {
    if ((group & 0x0FU) != 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::uint8_t>(group >> 4U));
  } else if (rest == 3) {
    if ((group & 0x03U) != 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::uint8_t>((group >> 10U) & 0xFFU));
    bytes.push_back(static_cast<std::uint8_t>((group >> 2U) & 0xFFU));
  }
  return bytes;
}

std::string to_iso8601(TimePoint time) {
  using namespace std::chrono;
  // The form has four digits for the year; times outside of that are shown as its ends.
  static constexpr TimePoint kFirst = sys_days{year{0} / January / 1};
  static constexpr TimePoint kLast = sys_days{year{9999} / December / 31} + 86399s;
  const TimePoint shown = std::clamp(time, kFirst, kLast);
  const auto days = floor<std::chrono::days>(shown);
  const year_month_day date{days};
  const hh_mm_ss clock{shown - days};

  std::string text;
  put_decimal(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  text += '-';
  put_decimal(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  put_decimal(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  put_decimal(text, static_cast<unsigned>(clock.hours().count()), 2);
  text += ':';
  put_decimal(text, static_cast<unsigned>(clock.minutes().count()), 2);
  text += ':';
  put_decimal(text, static_cast<unsigned>(clock.seconds().count()), 2);
  text += 'Z';
  return text;
}

std::optional<TimePoint> from_iso8601(std::string_view text) {
  const auto date = take_date(text);
  if (!date) {
    return std::nullopt;
  }
  if (text.empty()) {
    return TimePoint{*date};
  }
  if (!take_char(text, 'T')) {
    return std::nullopt;
  }
  const auto time = take_time_of_day(text);
  if (!time || text != "Z") {
    return std::nullopt;
  }
  return TimePoint{*date} + *time;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.size == 0 || is_unsafe(point.value)) {
      put_escaped(out, text.substr(0, size));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::string to_lower(std::string_view ascii) {
  std::string out(ascii);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) {
      out += separator;
    }
    out += parts[i];
  }
  return out;
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates) {
  // Nobody mistypes a word this long, and the distance costs the product of both lengths.
  static constexpr std::size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) {
    return std::nullopt;
  }
  const std::string wanted = to_lower(word);
  std::optional<std::string> best;
  std::size_t best_distance = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) {
      continue;
    }
    const std::size_t distance = edit_distance(wanted, to_lower(candidate));
    // A word as short as the number of edits would match anything.
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  using std::chrono::milliseconds;
  // Long enough for any deadline, short enough that adding it to a clock never overflows.
  static constexpr milliseconds kLongest = std::chrono::hours{24 * 366};
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, count);
  if (failure != std::errc{} || count < 0 || text.front() == '-') {
    return std::nullopt;
  }
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  milliseconds one{};
  if (unit == "ms") {
    one = milliseconds{1};
  } else if (unit == "s") {
    one = std::chrono::seconds{1};
  } else if (unit == "m") {
    one = std::chrono::minutes{1};
  } else if (unit == "h") {
    one = std::chrono::hours{1};
  } else {
    return std::nullopt;
  }
  if (count > kLongest / one) {
    return std::nullopt;
  }
  return one * count;
}

}  // namespace signctl
