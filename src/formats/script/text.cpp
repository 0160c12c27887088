// SPDX-License-Identifier: Apache-2.0
#include "formats/script/text.hpp"

#include "core/text.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::script {
namespace {

/// A byte order mark (The Unicode Standard, 23.8).
struct Mark {
  Encoding encoding;
  std::string_view bytes;
};

constexpr std::array<Mark, 3> kMarks{{
    {Encoding::utf8, "\xEF\xBB\xBF"},
    {Encoding::utf16_le, "\xFF\xFE"},
    {Encoding::utf16_be, "\xFE\xFF"},
}};

/// Where the bytes stop being UTF-8; their size if they never do.
std::size_t utf8_prefix(ByteView bytes) {
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    const std::size_t size = first_code_point(rest).size;
    if (size == 0) {
      break;
    }
    rest.remove_prefix(size);
  }
  return bytes.size() - rest.size();
}

}  // namespace

Result<Text> Text::recognise(Bytes bytes, Encoding without_mark) {
  Text text;
  text.bytes_ = std::move(bytes);
  text.encoding_ = without_mark;
  const auto* const mark = std::find_if(kMarks.begin(), kMarks.end(), [&](const Mark& one) {
    return as_text(text.bytes_).starts_with(one.bytes);
  });
  if (mark != kMarks.end()) {
    text.encoding_ = mark->encoding;
    text.mark_size_ = mark->bytes.size();
  }
  SIGNCTL_CHECK(text.check(), "");
  return text;
}

Result<void> Text::check() {
  if (bytes_.size() % unit_size() != 0) {
    return Error{ErrorKind::input,
                 "the text ends in half a UTF-16 character",
                 "the file is damaged; start again from the unsigned script"};
  }
  for (std::size_t i = mark_size_; i < bytes_.size(); i += unit_size()) {
    const std::uint32_t value = unit(i);
    if (value == 0) {
      return Error{ErrorKind::input,
                   "there is a NUL character at byte " + std::to_string(i) + ", so this is no text",
                   "a script in UTF-16 needs a byte order mark: save it as UTF-8 with one"};
    }
    ascii_ = ascii_ && value < 0x80;
  }
  if (encoding_ != Encoding::utf8) {
    return ok();
  }
  const std::size_t valid = utf8_prefix(bytes_);
  if (valid == bytes_.size()) {
    return ok();
  }
  if (mark_size_ != 0) {
    return Error{ErrorKind::input,
                 "the byte order mark says UTF-8, but byte " + std::to_string(valid) +
                     " does not belong to a UTF-8 character",
                 "save the script again in one encoding"};
  }
  encoding_ = Encoding::windows_1252;
  guessed_ = true;
  return ok();
}

std::size_t Text::unit_size() const {
  return encoding_ == Encoding::utf16_le || encoding_ == Encoding::utf16_be ? 2 : 1;
}

std::uint32_t Text::unit(std::size_t offset) const {
  const std::uint32_t first = bytes_[offset];
  if (unit_size() == 1) {
    return first;
  }
  const std::uint32_t second = bytes_[offset + 1];
  return encoding_ == Encoding::utf16_le ? first | (second << 8U) : second | (first << 8U);
}

Bytes Text::encode(std::string_view ascii) const {
  Bytes result;
  result.reserve(ascii.size() * unit_size());
  for (const char c : ascii) {
    if (encoding_ == Encoding::utf16_be) {
      result.push_back(0);
    }
    result.push_back(static_cast<std::uint8_t>(c));
    if (encoding_ == Encoding::utf16_le) {
      result.push_back(0);
    }
  }
  return result;
}

std::optional<std::string> Text::ascii(std::size_t begin, std::size_t end) const {
  std::string result;
  result.reserve((end - begin) / unit_size());
  for (std::size_t i = begin; i < end; i += unit_size()) {
    const std::uint32_t value = unit(i);
    if (value >= 0x80) {
      return std::nullopt;
    }
    result.push_back(static_cast<char>(value));
  }
  return result;
}

std::vector<std::size_t> Text::find_all(std::string_view ascii) const {
  const Bytes wanted = encode(ascii);
  std::vector<std::size_t> found;
  auto from = bytes_.begin() + static_cast<std::ptrdiff_t>(mark_size_);
  while (true) {
    const auto at = std::search(from, bytes_.end(), wanted.begin(), wanted.end());
    if (at == bytes_.end()) {
      return found;
    }
    const auto offset = static_cast<std::size_t>(at - bytes_.begin());
    if ((offset - mark_size_) % unit_size() == 0) {
      found.push_back(offset);
    }
    from = at + 1;
  }
}

Line Text::line_at(std::size_t begin) const {
  Line line{begin, bytes_.size(), bytes_.size()};
  for (std::size_t i = begin; i < bytes_.size(); i += unit_size()) {
    if (unit(i) == '\n') {
      line.next = i + unit_size();
      line.end = i > begin && unit(i - unit_size()) == '\r' ? i - unit_size() : i;
      break;
    }
  }
  return line;
}

std::size_t Text::break_before(const Line& line) const {
  const std::size_t size = unit_size();
  if (line.begin == mark_size_) {
    return line.begin;
  }
  const std::size_t feed = line.begin - size;
  return feed > mark_size_ && unit(feed - size) == '\r' ? feed - size : feed;
}

std::vector<Line> Text::find_lines(std::string_view ascii) const {
  std::vector<Line> lines;
  const std::size_t length = ascii.size() * unit_size();
  for (const std::size_t at : find_all(ascii)) {
    if (at != mark_size_ && unit(at - unit_size()) != '\n') {
      continue;
    }
    const Line line = line_at(at);
    if (line.end == at + length) {
      lines.push_back(line);
    }
  }
  return lines;
}

std::optional<std::size_t> Text::find_last(std::string_view ascii) const {
  const auto all = find_all(ascii);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

std::size_t Text::line_number(std::size_t offset) const {
  std::size_t number = 1;
  for (std::size_t i = mark_size_; i < offset; i += unit_size()) {
    number += unit(i) == '\n' ? 1U : 0U;
  }
  return number;
}

std::string Text::line_breaks() const {
  bool with_return = false;
  bool bare = false;
  for (Line line = line_at(mark_size_); line.next != line.end; line = line_at(line.next)) {
    (line.next - line.end == 2 * unit_size() ? with_return : bare) = true;
  }
  if (with_return && bare) {
    return "mixed";
  }
  return with_return ? "CR LF" : bare ? "LF" : "none";
}

Text Text::without(std::size_t begin, std::size_t end) const {
  Text rest;
  rest.encoding_ = encoding_;
  rest.mark_size_ = mark_size_;
  rest.guessed_ = guessed_;
  rest.ascii_ = ascii_;
  const ByteView all = bytes_;
  rest.bytes_.reserve(all.size() - (end - begin));
  const ByteView before = all.first(begin);
  const ByteView after = all.subspan(end);
  rest.bytes_.assign(before.begin(), before.end());
  rest.bytes_.insert(rest.bytes_.end(), after.begin(), after.end());
  return rest;
}

std::string describe_encoding(const Text& text) {
  const std::string mark = text.mark_size() != 0 ? " with byte order mark" : "";
  switch (text.encoding()) {
    case Encoding::utf8:
      return (text.is_ascii() && text.mark_size() == 0 ? "ASCII" : "UTF-8") + mark;
    case Encoding::utf16_le:
      return "UTF-16LE" + mark;
    case Encoding::utf16_be:
      return "UTF-16BE" + mark;
    case Encoding::windows_1252:
      return text.is_ascii() ? "ASCII" : "Windows-1252";
  }
  return "";
}

}  // namespace signctl::script
