// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace signctl::der {

namespace {

constexpr std::size_t kMaxOidOctets = 64;

Error bad(std::string_view what, std::size_t offset, const std::string& why) {
  return {ErrorKind::input,
          std::string(what) + ": " + why + " at offset " + std::to_string(offset),
          "the data is damaged or not DER"};
}

struct Header {
  std::uint8_t tag{};
  std::size_t header_size{};
  std::size_t content_size{};
};

Result<Header> read_header(ByteView bytes, std::size_t at, std::string_view what) {
  const ByteView rest = bytes.subspan(at);
  if (rest.size() < 2) {
    return bad(what, at, "the data ends too early");
  }
  Header header{rest[0], 2, rest[1]};
  if ((header.tag & 0x1FU) == 0x1FU) {
    return bad(what, at, "a tag number above 30");
  }
  if (rest[1] >= 0x80U) {
    const std::size_t count = rest[1] & 0x7FU;
    if (count == 0) {
      return bad(what, at, "an indefinite length");
    }
    if (count > 4 || rest.size() < 2 + count) {
      return bad(what, at, "a length that does not fit");
    }
    header.content_size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      header.content_size = (header.content_size << 8U) | rest[2 + i];
    }
    header.header_size = 2 + count;
    if (header.content_size < 0x80U || rest[2] == 0) {
      return bad(what, at, "a length that is not minimal");
    }
  }
  if (header.content_size > rest.size() - header.header_size) {
    return bad(what, at, "a length that reaches past the end");
  }
  return header;
}

void append(Bytes& out, ByteView part) {
  out.insert(out.end(), part.begin(), part.end());
}

/// Octet by octet, the shorter one first when it is the beginning of the other. Spelled out,
/// because GCC 12 warns wrongly about the memcmp that comparing vectors turns into.
bool encodes_before(const Bytes& a, const Bytes& b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return in_b != b.end() && (in_a == a.end() || *in_a < *in_b);
}

void append_header(Bytes& out, std::uint8_t tag, std::size_t size) {
  out.push_back(tag);
  if (size < 0x80U) {
    out.push_back(static_cast<std::uint8_t>(size));
    return;
  }
  Bytes octets;
  for (std::size_t rest = size; rest != 0; rest >>= 8U) {
    octets.insert(octets.begin(), static_cast<std::uint8_t>(rest & 0xFFU));
  }
  out.push_back(static_cast<std::uint8_t>(0x80U | octets.size()));
  append(out, octets);
}

/// Decimal digits of a base-128 arc of any length, most significant first.
std::string arc_text(ByteView arc) {
  std::vector<std::uint8_t> digits{0};  // least significant first
  for (const std::uint8_t octet : arc) {
    unsigned carry = octet & 0x7FU;
    for (std::uint8_t& digit : digits) {
      const unsigned value = digit * 128U + carry;
      digit = static_cast<std::uint8_t>(value % 10U);
      carry = value / 10U;
    }
    for (; carry != 0; carry /= 10U) {
      digits.push_back(static_cast<std::uint8_t>(carry % 10U));
    }
  }
  std::string text;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    text.push_back(static_cast<char>('0' + *digit));
  }
  return text;
}

/// Base-128 octets of a decimal number of any length.
Bytes arc_octets(std::string_view decimal) {
  std::vector<std::uint8_t> digits;
  for (const char c : decimal) {
    SIGNCTL_ASSERT(c >= '0' && c <= '9');
    digits.push_back(static_cast<std::uint8_t>(c - '0'));
  }
  Bytes octets;
  while (!digits.empty()) {
    unsigned remainder = 0;
    for (std::uint8_t& digit : digits) {
      const unsigned value = remainder * 10U + digit;
      digit = static_cast<std::uint8_t>(value / 128U);
      remainder = value % 128U;
    }
    const auto first = std::find_if(digits.begin(), digits.end(), [](auto d) { return d != 0; });
    digits.erase(digits.begin(), first);
    octets.insert(octets.begin(),
                  static_cast<std::uint8_t>(remainder | (octets.empty() ? 0U : 0x80U)));
  }
  if (octets.empty()) {
    octets.push_back(0);
  }
  return octets;
}

/// The first subidentifier carries two arcs: 40 * first + second (X.690, 8.19.4).
std::string first_arcs_text(const std::string& combined) {
  if (combined.size() <= 2 && std::stoi(combined) < 80) {
    const int value = std::stoi(combined);
    return std::to_string(value / 40) + "." + std::to_string(value % 40);
  }
  std::string second = combined;
  int borrow = 80;
  for (auto digit = second.rbegin(); digit != second.rend() && borrow != 0; ++digit) {
    int value = (*digit - '0') - borrow % 10;
    borrow /= 10;
    if (value < 0) {
      value += 10;
      ++borrow;
    }
    *digit = static_cast<char>('0' + value);
  }
  second.erase(0, std::min(second.find_first_not_of('0'), second.size() - 1));
  return "2." + second;
}

std::string add_decimal(std::string_view number, unsigned addend) {
  std::string sum(number);
  unsigned carry = addend;
  for (auto digit = sum.rbegin(); digit != sum.rend() && carry != 0; ++digit) {
    const unsigned value = static_cast<unsigned>(*digit - '0') + carry;
    *digit = static_cast<char>('0' + value % 10U);
    carry = value / 10U;
  }
  return carry == 0 ? sum : std::to_string(carry) + sum;
}

std::optional<int> two_digits(std::string_view text, std::size_t at) {
  if (at + 2 > text.size() || text[at] < '0' || text[at] > '9' || text[at + 1] < '0' ||
      text[at + 1] > '9') {
    return std::nullopt;
  }
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

// Howard Hinnant's days-from-civil arithmetic, proleptic Gregorian.
std::int64_t days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int yoe = y - era * 400;
  const int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return std::int64_t{era} * 146097 + doe - 719468;
}

int days_in_month(int year, int month) {
  if (month == 2) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// MMDDHHMMSS, from `at`, in `year`.
std::optional<std::int64_t> time_from(std::string_view text, std::size_t at, int year) {
  const auto month = two_digits(text, at);
  const auto day = two_digits(text, at + 2);
  const auto hour = two_digits(text, at + 4);
  const auto minute = two_digits(text, at + 6);
  const auto second = two_digits(text, at + 8);
  if (!month || !day || !hour || !minute || !second || *month < 1 || *month > 12 || *day < 1 ||
      *day > days_in_month(year, *month) || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  return ((days_from_civil(year, *month, *day) * 24 + *hour) * 60 + *minute) * 60 + *second;
}

/// Whether `text` is "Z", or a fraction without trailing zeros and "Z" (RFC 3161, 2.4.2).
bool ends_in_zulu(std::string_view text) {
  if (text == "Z") {
    return true;
  }
  if (text.size() < 3 || text.front() != '.' || text.back() != 'Z') {
    return false;
  }
  const std::string_view digits = text.substr(1, text.size() - 2);
  return digits.find_first_not_of("0123456789") == std::string_view::npos;
}

void put_utf16(Bytes& out, std::uint32_t unit) {
  out.push_back(static_cast<std::uint8_t>((unit >> 8U) & 0xFFU));
  out.push_back(static_cast<std::uint8_t>(unit & 0xFFU));
}

/// Decodes one UTF-8 sequence; U+FFFD and one octet for anything malformed.
std::uint32_t next_code_point(std::string_view utf8, std::size_t& at) {
  const auto lead = static_cast<std::uint8_t>(utf8[at++]);
  if (lead < 0x80U) {
    return lead;
  }
  const int more = lead >= 0xF0U ? 3 : lead >= 0xE0U ? 2 : lead >= 0xC2U ? 1 : 0;
  if (more == 0 || lead > 0xF4U || at + static_cast<std::size_t>(more) > utf8.size()) {
    return 0xFFFD;
  }
  std::uint32_t point = lead & (0x3FU >> static_cast<unsigned>(more));
  for (int i = 0; i < more; ++i) {
    const auto octet = static_cast<std::uint8_t>(utf8[at + static_cast<std::size_t>(i)]);
    if ((octet & 0xC0U) != 0x80U) {
      return 0xFFFD;
    }
    point = (point << 6U) | (octet & 0x3FU);
  }
  // RFC 3629, 3: no longer form than needed, no surrogates, nothing beyond U+10FFFF.
  const std::uint32_t least = more == 3 ? 0x10000U : more == 2 ? 0x800U : 0x80U;
  if (point < least || point > 0x10FFFFU || (point >= 0xD800U && point < 0xE000U)) {
    return 0xFFFD;
  }
  at += static_cast<std::size_t>(more);
  return point;
}

void put_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (point < 0x80U) {
    put(point);
  } else if (point < 0x800U) {
    put(0xC0U | (point >> 6U));
    put(0x80U | (point & 0x3FU));
  } else if (point < 0x10000U) {
    put(0xE0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  } else {
    put(0xF0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3FU));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  }
}

}  // namespace

std::optional<std::uint8_t> Parser::peek() const {
  return at_end() ? std::nullopt : std::optional(bytes_[position_]);
}

Result<Tlv> Parser::next(std::string_view what) {
  SIGNCTL_TRY(const Header header, read_header(bytes_, position_, what), "");
  const std::size_t size = header.header_size + header.content_size;
  const Tlv tlv{header.tag,
                bytes_.subspan(position_ + header.header_size, header.content_size),
                bytes_.subspan(position_, size)};
  position_ += size;
  return tlv;
}

Result<Tlv> Parser::expect(std::uint8_t tag, std::string_view what) {
  const std::size_t start = position_;
  SIGNCTL_TRY(const Tlv tlv, next(what), "");
  if (tlv.tag != tag) {
    position_ = start;
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto hex = [&](std::uint8_t v) { return std::string{kHex[v >> 4U], kHex[v & 15U]}; };
    return bad(what, start, "tag " + hex(tlv.tag) + " where " + hex(tag) + " belongs");
  }
  return tlv;
}

Result<std::optional<Tlv>> Parser::optional(std::uint8_t tag, std::string_view what) {
  if (peek() != tag) {
    return std::optional<Tlv>{};
  }
  SIGNCTL_TRY(const Tlv tlv, next(what), "");
  return std::optional<Tlv>{tlv};
}

Result<std::string> Parser::oid(std::string_view what) {
  SIGNCTL_TRY(const Tlv tlv, expect(kOid, what), "");
  return oid_text(tlv.content);
}

Result<std::uint64_t> Parser::small_integer(std::string_view what) {
  const std::size_t start = position_;
  SIGNCTL_TRY(const Tlv tlv, expect(kInteger, what), "");
  ByteView octets = tlv.content;
  if (octets.empty() || octets[0] >= 0x80U || octets.size() > 9 ||
      (octets.size() > 1 && octets[0] == 0 && octets[1] < 0x80U) ||
      (octets.size() == 9 && octets[0] != 0)) {
    return bad(what, start, "not a small non-negative INTEGER");
  }
  std::uint64_t value = 0;
  for (const std::uint8_t octet : octets) {
    value = (value << 8U) | octet;
  }
  return value;
}

Result<void> Parser::end(std::string_view what) const {
  if (!at_end()) {
    return bad(what, position_, std::to_string(bytes_.size() - position_) + " bytes too many");
  }
  return ok();
}

Result<Tlv> parse_whole(ByteView bytes, std::uint8_t tag, std::string_view what) {
  Parser parser(bytes);
  SIGNCTL_TRY(const Tlv tlv, parser.expect(tag, what), "");
  SIGNCTL_CHECK(parser.end(what), "");
  return tlv;
}

Result<void> check_strict(ByteView bytes, int max_depth) {
  std::vector<std::pair<ByteView, int>> pending{{bytes, 0}};
  while (!pending.empty()) {
    const auto [view, depth] = pending.back();
    pending.pop_back();
    if (depth > max_depth) {
      return bad("DER", 0, "nesting deeper than " + std::to_string(max_depth) + " levels");
    }
    Parser parser(view);
    while (!parser.at_end()) {
      SIGNCTL_TRY(const Tlv tlv, parser.next("DER"), "");
      if ((tlv.tag & 0x20U) != 0) {
        pending.emplace_back(tlv.content, depth + 1);
      }
    }
  }
  return ok();
}

Result<std::string> oid_text(ByteView content) {
  if (content.empty() || content.size() > kMaxOidOctets || content.back() >= 0x80U) {
    return bad("OBJECT IDENTIFIER", 0, "not a whole number of arcs");
  }
  std::string text;
  for (std::size_t start = 0; start < content.size();) {
    std::size_t end = start;
    while (content[end] >= 0x80U) {
      ++end;
    }
    if (content[start] == 0x80U) {
      return bad("OBJECT IDENTIFIER", start, "an arc with leading zeros");
    }
    const std::string arc = arc_text(content.subspan(start, end - start + 1));
    text += text.empty() ? first_arcs_text(arc) : "." + arc;
    start = end + 1;
  }
  return text;
}

Result<AlgorithmId> read_algorithm(Parser& parser, std::string_view what) {
  SIGNCTL_TRY(const Tlv sequence, parser.expect(kSequence, what), "");
  Parser inner(sequence.content);
  AlgorithmId algorithm;
  SIGNCTL_TRY(algorithm.oid, inner.oid(what), "");
  if (!inner.at_end()) {
    SIGNCTL_TRY(const Tlv parameters, inner.next(what), "");
    algorithm.parameters = parameters.full;
  }
  SIGNCTL_CHECK(inner.end(what), "");
  return algorithm;
}

Result<std::int64_t> read_time(const Tlv& tlv, std::string_view what) {
  const std::string_view text(reinterpret_cast<const char*>(tlv.content.data()),
                              tlv.content.size());
  std::optional<std::int64_t> time;
  if (tlv.tag == kUtcTime && text.size() == 13 && text.back() == 'Z') {
    if (const auto year = two_digits(text, 0)) {
      // RFC 5280, 4.1.2.5.1: below 50 is the twenty-first century.
      time = time_from(text, 2, *year < 50 ? 2000 + *year : 1900 + *year);
    }
  } else if (tlv.tag == kGeneralizedTime && text.size() >= 15 && ends_in_zulu(text.substr(14))) {
    const auto century = two_digits(text, 0);
    const auto year = two_digits(text, 2);
    if (century && year) {
      time = time_from(text, 4, *century * 100 + *year);
    }
  }
  if (!time) {
    return bad(what, 0, "not a time in the DER profile");
  }
  return *time;
}

Bytes tlv(std::uint8_t tag, ByteView content) {
  Bytes out;
  out.reserve(content.size() + 6);
  append_header(out, tag, content.size());
  append(out, content);
  return out;
}

Bytes tlv(std::uint8_t tag, std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (const ByteView part : parts) {
    size += part.size();
  }
  Bytes out;
  out.reserve(size + 6);
  append_header(out, tag, size);
  for (const ByteView part : parts) {
    append(out, part);
  }
  return out;
}

Bytes sequence(std::initializer_list<ByteView> parts) {
  return tlv(kSequence, parts);
}

Bytes set(std::initializer_list<ByteView> parts) {
  return tlv(kSet, parts);
}

Bytes set_of(std::vector<Bytes> elements, std::uint8_t tag) {
  // No encoding is a prefix of another one, so this equals comparing with zero padding.
  std::sort(elements.begin(), elements.end(), encodes_before);
  Bytes content;
  for (const Bytes& element : elements) {
    append(content, element);
  }
  return tlv(tag, content);
}

Bytes oid(std::string_view dotted) {
  std::vector<std::string> arcs;
  for (std::size_t start = 0; start <= dotted.size();) {
    const std::size_t dot = std::min(dotted.find('.', start), dotted.size());
    arcs.emplace_back(dotted.substr(start, dot - start));
    SIGNCTL_ASSERT(!arcs.back().empty());
    start = dot + 1;
  }
  SIGNCTL_ASSERT(arcs.size() >= 2 && arcs[0].size() == 1 && arcs[0][0] <= '2');
  const auto first = static_cast<unsigned>(arcs[0][0] - '0');
  Bytes content = arc_octets(add_decimal(arcs[1], first * 40U));
  for (std::size_t i = 2; i < arcs.size(); ++i) {
    append(content, arc_octets(arcs[i]));
  }
  return tlv(kOid, content);
}

Bytes integer(std::uint64_t value) {
  Bytes magnitude;
  for (int shift = 56; shift >= 0; shift -= 8) {
    magnitude.push_back(static_cast<std::uint8_t>((value >> static_cast<unsigned>(shift)) & 0xFFU));
  }
  return unsigned_integer(magnitude);
}

Bytes unsigned_integer(ByteView magnitude) {
  while (!magnitude.empty() && magnitude[0] == 0) {
    magnitude = magnitude.subspan(1);
  }
  Bytes content;
  if (magnitude.empty() || magnitude[0] >= 0x80U) {
    content.push_back(0);
  }
  append(content, magnitude);
  return tlv(kInteger, content);
}

Bytes octet_string(ByteView content) {
  return tlv(kOctetString, content);
}

Bytes null() {
  return {kNull, 0};
}

Bytes boolean(bool value) {
  return {kBoolean, 1, static_cast<std::uint8_t>(value ? 0xFF : 0)};
}

Bytes generalized_time(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds point{std::chrono::seconds(unix_seconds)};
  const auto days = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(point - days);
  const auto padded = [](std::int64_t value, std::size_t width) {
    std::string text = std::to_string(value);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  const std::string text =
      padded(static_cast<int>(date.year()), 4) + padded(static_cast<unsigned>(date.month()), 2) +
      padded(static_cast<unsigned>(date.day()), 2) + padded(time.hours().count(), 2) +
      padded(time.minutes().count(), 2) + padded(time.seconds().count(), 2) + "Z";
  return tlv(kGeneralizedTime, Bytes(text.begin(), text.end()));
}

Bytes algorithm_with_null(std::string_view dotted) {
  return sequence({oid(dotted), null()});
}

Bytes algorithm_bare(std::string_view dotted) {
  return sequence({oid(dotted)});
}

Bytes bmp_content(std::string_view utf8) {
  Bytes out;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::uint32_t point = next_code_point(utf8, at);
    if (point < 0x10000U) {
      put_utf16(out, point);
    } else {
      put_utf16(out, 0xD800U + ((point - 0x10000U) >> 10U));
      put_utf16(out, 0xDC00U + ((point - 0x10000U) & 0x3FFU));
    }
  }
  return out;
}

std::string bmp_to_utf8(ByteView content) {
  std::string out;
  const auto unit_at = [content](std::size_t i) {
    return static_cast<std::uint32_t>(content[i] << 8U) | content[i + 1];
  };
  for (std::size_t i = 0; i + 1 < content.size(); i += 2) {
    std::uint32_t point = unit_at(i);
    if (point >= 0xD800U && point < 0xDC00U && i + 3 < content.size() &&
        (unit_at(i + 2) & 0xFC00U) == 0xDC00U) {
      point = 0x10000U + ((point - 0xD800U) << 10U) + (unit_at(i + 2) - 0xDC00U);
      i += 2;
    } else if (point >= 0xD800U && point < 0xE000U) {
      point = 0xFFFD;
    }
    put_utf8(out, point);
  }
  return out;
}

}  // namespace signctl::der
