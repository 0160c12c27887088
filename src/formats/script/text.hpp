// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"
#include "formats/script/dialect.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::script {

/// A line of a text, as byte offsets into it.
struct Line {
  std::size_t begin{};
  std::size_t end{};   ///< Of its characters, without the line break.
  std::size_t next{};  ///< Behind the line break: CR LF, LF, or the end of the text.
};

/// A text in memory, with what is known of its encoding. Offsets are bytes, and include the byte
/// order mark.
class Text {
 public:
  /// Recognises the encoding: by the byte order mark; without one `without_mark`, but Windows-1252
  /// for what is not UTF-8.
  ///
  /// @errors `input` for a text that is not what its byte order mark says, and for one with NUL
  ///         characters, which no script has.
  static Result<Text> recognise(Bytes bytes, Encoding without_mark);

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] Encoding encoding() const { return encoding_; }
  /// Size of the byte order mark; 0 if there is none.
  [[nodiscard]] std::size_t mark_size() const { return mark_size_; }
  /// The bytes are not UTF-8 though that was expected, and were taken for Windows-1252.
  [[nodiscard]] bool is_guessed() const { return guessed_; }
  [[nodiscard]] bool is_ascii() const { return ascii_; }

  /// ASCII characters in this encoding.
  [[nodiscard]] Bytes encode(std::string_view ascii) const;
  /// The characters of a range, if they are ASCII.
  [[nodiscard]] std::optional<std::string> ascii(std::size_t begin, std::size_t end) const;

  /// The lines that consist of exactly these ASCII characters.
  [[nodiscard]] std::vector<Line> find_lines(std::string_view ascii) const;
  /// The line that begins at `begin`.
  [[nodiscard]] Line line_at(std::size_t begin) const;
  /// Where the line break in front of a line begins; the line's begin itself at the very front.
  [[nodiscard]] std::size_t break_before(const Line& line) const;
  /// Where these ASCII characters occur last.
  [[nodiscard]] std::optional<std::size_t> find_last(std::string_view ascii) const;
  /// Counted from 1.
  [[nodiscard]] std::size_t line_number(std::size_t offset) const;
  /// For people: "CR LF", "LF", "mixed", "none".
  [[nodiscard]] std::string line_breaks() const;

  /// The same text without the bytes of [begin, end).
  [[nodiscard]] Text without(std::size_t begin, std::size_t end) const;

  /// Feeds [begin, end) as UTF-16LE to each hasher.
  ///
  /// @return  How many UTF-16 code units these were.
  std::uint64_t hash_utf16(std::size_t begin,
                           std::size_t end,
                           std::span<crypto::Hasher> hashers) const;

 private:
  [[nodiscard]] std::size_t unit_size() const;
  [[nodiscard]] std::uint32_t unit(std::size_t offset) const;
  [[nodiscard]] std::vector<std::size_t> find_all(std::string_view ascii) const;
  Result<void> check();

  Bytes bytes_;
  Encoding encoding_{Encoding::utf8};
  std::size_t mark_size_{0};
  bool guessed_{false};
  bool ascii_{true};
};

/// For people: "UTF-16LE with byte order mark".
[[nodiscard]] std::string describe_encoding(const Text& text);

}  // namespace signctl::script
