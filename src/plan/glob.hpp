// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::plan {

/// A parsed pattern. It means the same on every system: case counts, the separator is `/`, and a
/// leading dot is a character like any other.
///
/// `*` any characters of one name, `?` one character, `[a-z]` `[!a-z]` one of (not of) a set,
/// `{a,b}` either (nests, may hold `/`), `**` as a whole name any number of folders, also none; at
/// the end of a pattern every file below. There is no escape character: `[*]` is a plain `*`.
/// On Windows, `\` is a separator as well.
///
/// Matching walks a path name by name, so that the same object can also say whether a folder is
/// worth looking into. Its cost is bounded by pattern length times path length.
class Glob {
 public:
  /// @errors `config` when it is malformed, too long, or its braces spell out too many patterns.
  static Result<Glob> parse(std::string_view pattern);

  /// The same, but with last names of either case (of ASCII letters). Looks into the same folders.
  [[nodiscard]] Glob of_any_case() const;

  /// How far a path has been matched: the places in the pattern where the next name may go on.
  /// Empty when no continuation can match.
  using State = std::vector<std::size_t>;

  /// The state before the first name.
  [[nodiscard]] State start() const;
  /// The state after one more name.
  [[nodiscard]] State step(const State& state, std::string_view name) const;
  /// Whether the path may end here.
  [[nodiscard]] bool accepts(const State& state) const;

  /// What of a state decides how a path may go on.
  [[nodiscard]] State open_part(const State& state) const;

  /// The names that can come next, when no wildcard is among them, sorted; empty optional when the
  /// folder has to be listed.
  [[nodiscard]] std::optional<std::vector<std::string>> literal_names(const State& state) const;

  /// "/" or "C:/" for absolute patterns, else empty. Names start after it.
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Whether the whole path matches.
  [[nodiscard]] bool matches(std::string_view path) const;
  /// Whether the path or one of the folders it is in matches.
  [[nodiscard]] bool matches_or_contains(std::string_view path) const;

 private:
  enum class Case { counts, ignored };
  enum class TokenKind { character, any_character, any_text, set };
  struct Range {
    std::uint32_t first{};
    std::uint32_t last{};
  };
  struct Token {
    TokenKind kind{};
    std::uint32_t character{};
    std::vector<Range> set;
    bool negated{false};

    [[nodiscard]] bool takes(std::uint32_t c) const;
    [[nodiscard]] bool takes(std::uint32_t c, Case letters) const;
  };
  enum class PlaceKind {
    name,         ///< One name, matched by `tokens`.
    any_folders,  ///< `**`
    end,          ///< Of one of the patterns that the braces spell out.
  };
  struct Place {
    PlaceKind kind{};
    std::vector<Token> tokens;
    std::string literal;  ///< The name, when no token is a wildcard.
    bool is_literal{false};
  };

  static Result<Place> parse_name(std::string_view name, std::string_view pattern);
  static Result<Token> parse_set(std::string_view& rest, std::string_view pattern);
  Result<void> add_alternative(std::string_view alternative);
  void add_with_empty_folders(State& state, std::size_t place) const;
  static bool matches_name(const Place& place, std::string_view name, Case letters);

  std::string text_;
  std::string root_;
  Case last_names_{Case::counts};
  std::vector<Place> places_;  ///< All alternatives one after the other, each with its end.
  std::vector<std::size_t> starts_;
};

/// `text` with `/` for every separator that the system knows.
[[nodiscard]] std::string with_slashes(std::string_view text);

/// The names of a path between its slashes, without empty ones and ".".
[[nodiscard]] std::vector<std::string_view> split_path(std::string_view path);

/// Whether a text has a character that means something in a pattern.
[[nodiscard]] bool has_wildcards(std::string_view text);

}  // namespace signctl::plan
