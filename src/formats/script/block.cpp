// SPDX-License-Identifier: Apache-2.0
#include "formats/script/block.hpp"

#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace signctl::script {
namespace {

/// The first and the last line of a block.
struct Frame {
  Line begin;
  Line end;
};

std::string at_lines(const Text& text, const std::vector<Line>& lines) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < std::min(lines.size(), kMost); ++i) {
    numbers.push_back(std::to_string(text.line_number(lines[i].begin)));
  }
  if (lines.size() > kMost) {
    numbers.emplace_back("...");
  }
  return (lines.size() == 1 ? "line " : "lines ") + join(numbers, ", ");
}

/// Exactly one block or none: with two of them, or half of one, readers differ in what is signed.
Result<std::optional<Frame>> find_frame(const Text& text, const Dialect& dialect) {
  using Found = std::optional<Frame>;
  const auto begins = text.find_lines(dialect.begin);
  const auto ends = text.find_lines(dialect.end);
  if (begins.empty() && ends.empty()) {
    return Found{};
  }
  const std::string hint =
      "look at those lines in an editor; start again from the script as it was before signing";
  if (begins.size() > 1 || ends.size() > 1) {
    const bool at_begin = begins.size() > 1;
    return Error{ErrorKind::input,
                 std::string("there is more than one signature block: they ") +
                     (at_begin ? "begin at " : "end at ") +
                     at_lines(text, at_begin ? begins : ends),
                 hint};
  }
  if (ends.empty()) {
    return Error{ErrorKind::input,
                 "the signature block that begins at " + at_lines(text, begins) + " has no end",
                 hint};
  }
  if (begins.empty() || ends.front().begin < begins.front().begin) {
    return Error{ErrorKind::input,
                 "a signature block ends at " + at_lines(text, ends) + " and has no begin",
                 hint};
  }
  return Found{Frame{begins.front(), ends.front()}};
}

bool is_base64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
}

/// The base64 of a block, and how many characters its first line has.
struct Body {
  std::string base64;
  std::size_t characters_a_line{};
};

Result<Body> read_body(const Text& text, const Dialect& dialect, const Frame& frame) {
  Body body;
  for (Line line = text.line_at(frame.begin.next); line.begin < frame.end.begin;
       line = text.line_at(line.next)) {
    const auto characters = text.ascii(line.begin, line.end);
    std::string_view rest = characters ? std::string_view(*characters) : std::string_view();
    const bool framed = rest.size() > dialect.open.size() + dialect.close.size() &&
                        rest.starts_with(dialect.open) && rest.ends_with(dialect.close);
    if (framed) {
      rest.remove_prefix(dialect.open.size());
      rest.remove_suffix(dialect.close.size());
    }
    if (!framed || !is_base64(rest)) {
      return Error{ErrorKind::input,
                   "line " + std::to_string(text.line_number(line.begin)) +
                       ", inside the signature block, is not part of a signature",
                   "a script host would run or read it; do not trust this file"};
    }
    if (body.characters_a_line == 0) {
      body.characters_a_line = rest.size();
    }
    body.base64 += rest;
  }
  return body;
}

/// Whatever is not byte for byte what the signature encodes to could carry data, and Windows does
/// not find a block with other line breaks at all.
std::string irregularity_of(const Text& text,
                            const Dialect& dialect,
                            const Block& block,
                            std::size_t characters_a_line) {
  const Bytes regular = encode_block(text, dialect, block.cms, characters_a_line);
  const ByteView actual = text.bytes().subspan(block.begin, block.end - block.begin);
  if (std::equal(regular.begin(), regular.end(), actual.begin(), actual.end())) {
    return "";
  }
  const auto characters = text.ascii(block.begin, block.end);
  const bool bare_feed = characters && characters->find("\r\n") == std::string::npos;
  return bare_feed ? "its lines end in LF, not in CR LF"
                   : "its bytes are not those that the signature is written as";
}

Result<Block> read_block(const Text& text, const Dialect& dialect, const Frame& frame) {
  SIGNCTL_TRY(const Body body, read_body(text, dialect, frame), "");
  auto cms = from_base64(body.base64);
  if (!cms || cms->empty()) {
    return Error{ErrorKind::input,
                 "the signature block at line " +
                     std::to_string(text.line_number(frame.begin.begin)) + " is not base64",
                 "the signature is damaged; sign the original script again"};
  }
  Block block;
  block.begin = text.break_before(frame.begin);
  block.end = frame.end.next;
  block.first_line = text.line_number(frame.begin.begin);
  block.last_line = text.line_number(frame.end.begin);
  block.cms = std::move(*cms);
  block.irregularity = irregularity_of(text, dialect, block, body.characters_a_line);
  return block;
}

}  // namespace

Bytes encode_block(const Text& text,
                   const Dialect& dialect,
                   ByteView cms,
                   std::size_t characters_a_line) {
  constexpr std::string_view kBreak = "\r\n";
  const std::string base64 = to_base64(cms);
  std::string block = std::string(kBreak).append(dialect.begin).append(kBreak);
  for (std::size_t i = 0; i < base64.size(); i += characters_a_line) {
    block.append(dialect.open).append(base64, i, characters_a_line);
    block.append(dialect.close).append(kBreak);
  }
  block.append(dialect.end).append(kBreak);
  return text.encode(block);
}

Result<std::size_t> insertion_point(const Text& text, const Dialect& dialect) {
  if (dialect.before.empty()) {
    return text.size();
  }
  const auto place = text.find_last(dialect.before);
  if (!place) {
    return Error{ErrorKind::input,
                 "there is no " + std::string(dialect.before) +
                     " in this script, in front of which the signature goes",
                 "a Windows Script File has at least one <job>"};
  }
  return *place;
}

Result<Script> read_script(const ByteSource& source, const Dialect& dialect) {
  if (source.size() > kLargestScript) {
    return Error{ErrorKind::unsupported,
                 "the script has " + std::to_string(source.size()) + " bytes, and at most " +
                     std::to_string(kLargestScript >> 20U) + " MiB are signed or judged",
                 "keep data in a file of its own beside the script"};
  }
  SIGNCTL_TRY(Bytes bytes, read_bytes(source, 0, source.size()), "reading the script");
  SIGNCTL_TRY(Text text, Text::recognise(std::move(bytes), dialect.without_mark), "");
  SIGNCTL_TRY(const auto frame, find_frame(text, dialect), "");
  Script script;
  script.dialect = &dialect;
  if (!frame) {
    script.text = std::move(text);
    return script;
  }
  SIGNCTL_TRY(script.block, read_block(text, dialect, *frame), "");
  script.text = text.without(script.block->begin, script.block->end);
  return script;
}

}  // namespace signctl::script
