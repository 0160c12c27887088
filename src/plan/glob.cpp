// SPDX-License-Identifier: Apache-2.0
// A pattern is a list of places, one per name, and a state is the set of places that a path may be
// at. Like a regular expression run as an automaton, it never backtracks over names; `**` is a
// place that may be left out and stays for as many names as come.

#include "plan/glob.hpp"

#include "core/path.hpp"
#include "core/utf8.hpp"
#include "plan/braces.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <iterator>

namespace signctl::plan {

namespace {

constexpr std::size_t kLongestPattern = 4096;

/// The first character of a name, taken off. File names need not be UTF-8; such a byte becomes a
/// number of its own beyond Unicode.
std::uint32_t take_character(std::string_view& text) {
  const CodePoint point = first_code_point(text);
  const std::uint32_t value =
      point.size == 0 ? 0x110000U + static_cast<unsigned char>(text[0]) : point.value;
  text.remove_prefix(std::max<std::size_t>(point.size, 1));
  return value;
}

std::string root_of(std::string_view path) {
  return with_slashes(to_utf8(to_path(path).root_path()));
}

}  // namespace

bool Glob::Token::takes(std::uint32_t c) const {
  switch (kind) {
    case TokenKind::character:
      return c == character;
    case TokenKind::any_character:
    case TokenKind::any_text:
      return true;
    case TokenKind::set:
      return negated != std::any_of(set.begin(), set.end(), [c](const Range& range) {
               return c >= range.first && c <= range.last;
             });
  }
  return false;
}

bool Glob::Token::takes(std::uint32_t c, Case letters) const {
  constexpr std::uint32_t kOtherCase = 'a' ^ 'A';
  const bool is_letter = (c | kOtherCase) >= 'a' && (c | kOtherCase) <= 'z';
  return takes(c) || (letters == Case::ignored && is_letter && takes(c ^ kOtherCase));
}

/// `rest` starts behind the `[` and is moved behind the `]`.
Result<Glob::Token> Glob::parse_set(std::string_view& rest, std::string_view pattern) {
  Token token;
  token.kind = TokenKind::set;
  if (!rest.empty() && (rest.front() == '!' || rest.front() == '^')) {
    token.negated = true;
    rest.remove_prefix(1);
  }
  bool first = true;
  while (!rest.empty() && (first || rest.front() != ']')) {
    first = false;
    Range range;
    range.first = take_character(rest);
    range.last = range.first;
    // A - that comes first or last stands for itself.
    if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
      rest.remove_prefix(1);
      range.last = take_character(rest);
    }
    if (range.last < range.first) {
      return malformed_pattern(pattern, "a range in [] runs backwards");
    }
    token.set.push_back(range);
  }
  if (rest.empty()) {
    // Also when a / came in between: names are parsed one by one.
    return malformed_pattern(pattern, "a [ is never closed within a name");
  }
  rest.remove_prefix(1);
  return token;
}

Result<Glob::Place> Glob::parse_name(std::string_view name, std::string_view pattern) {
  Place place;
  if (name == "**") {
    place.kind = PlaceKind::any_folders;
    return place;
  }
  place.is_literal = !has_wildcards(name);
  place.literal = place.is_literal ? std::string(name) : "";
  while (!name.empty()) {
    Token token;
    const char c = name.front();
    if (c == '[') {
      name.remove_prefix(1);
      SIGNCTL_TRY(token, parse_set(name, pattern), "");
    } else if (c == '*' || c == '?') {
      token.kind = c == '*' ? TokenKind::any_text : TokenKind::any_character;
      name.remove_prefix(1);
    } else {
      token.character = take_character(name);
    }
    place.tokens.push_back(std::move(token));
  }
  return place;
}

Result<void> Glob::add_alternative(std::string_view alternative) {
  starts_.push_back(places_.size());
  for (const std::string_view name : split_path(alternative)) {
    SIGNCTL_TRY(Place place, parse_name(name, text_), "");
    places_.push_back(std::move(place));
  }
  if (places_.size() == starts_.back()) {
    return malformed_pattern(text_, "it names nothing");
  }
  if (places_.back().kind == PlaceKind::any_folders) {
    SIGNCTL_TRY(Place any_name, parse_name("*", text_), "");
    places_.push_back(std::move(any_name));
  }
  Place end;
  end.kind = PlaceKind::end;
  places_.push_back(std::move(end));
  return ok();
}

Result<Glob> Glob::parse(std::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return malformed_pattern(pattern.substr(0, 40), "it is too long");
  }
  Glob glob;
  glob.text_ = with_slashes(pattern);
  glob.root_ = root_of(glob.text_);
  const std::string_view names = std::string_view(glob.text_).substr(glob.root_.size());
  SIGNCTL_TRY(const auto alternatives, expand_braces(names), "");
  for (const std::string& alternative : alternatives) {
    if (alternative.starts_with('/')) {
      return malformed_pattern(glob.text_, "an absolute path is inside of braces");
    }
    SIGNCTL_CHECK(glob.add_alternative(alternative), "");
  }
  return glob;
}

Glob Glob::of_any_case() const {
  Glob other = *this;
  other.last_names_ = Case::ignored;
  return other;
}

/// Adds a place and, because `**` may stand for no folder at all, those behind it.
void Glob::add_with_empty_folders(State& state, std::size_t place) const {
  for (;; ++place) {
    if (std::find(state.begin(), state.end(), place) != state.end()) {
      return;
    }
    state.push_back(place);
    if (places_[place].kind != PlaceKind::any_folders) {
      return;
    }
  }
}

Glob::State Glob::start() const {
  State state;
  for (const std::size_t place : starts_) {
    add_with_empty_folders(state, place);
  }
  std::sort(state.begin(), state.end());
  return state;
}

Glob::State Glob::step(const State& state, std::string_view name) const {
  State next;
  for (const std::size_t at : state) {
    const Place& place = places_[at];
    if (place.kind == PlaceKind::any_folders) {
      add_with_empty_folders(next, at);
      continue;
    }
    const bool is_last = place.kind == PlaceKind::name && places_[at + 1].kind == PlaceKind::end;
    if (place.kind == PlaceKind::name &&
        matches_name(place, name, is_last ? last_names_ : Case::counts)) {
      add_with_empty_folders(next, at + 1);
    }
  }
  std::sort(next.begin(), next.end());
  return next;
}

bool Glob::accepts(const State& state) const {
  return std::any_of(state.begin(), state.end(), [this](std::size_t at) {
    return places_[at].kind == PlaceKind::end;
  });
}

Glob::State Glob::open_part(const State& state) const {
  State open;
  std::copy_if(state.begin(), state.end(), std::back_inserter(open), [this](std::size_t at) {
    return places_[at].kind != PlaceKind::end;
  });
  return open;
}

std::optional<std::vector<std::string>> Glob::literal_names(const State& state) const {
  std::vector<std::string> names;
  for (const std::size_t at : state) {
    const Place& place = places_[at];
    if (place.kind == PlaceKind::end) {
      continue;
    }
    if (!place.is_literal) {
      return std::nullopt;
    }
    names.push_back(place.literal);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// The usual two-pointer match: on a mismatch only the last `*` can help, by taking one more
/// character, so the cost is the product of both lengths at most.
bool Glob::matches_name(const Place& place, std::string_view name, Case letters) {
  const std::vector<Token>& tokens = place.tokens;
  std::size_t at = 0;
  std::optional<std::size_t> star;
  std::string_view star_rest;
  while (!name.empty()) {
    if (at < tokens.size() && tokens[at].kind == TokenKind::any_text) {
      star = at++;
      star_rest = name;
      continue;
    }
    std::string_view rest = name;
    if (at < tokens.size() && tokens[at].takes(take_character(rest), letters)) {
      name = rest;
      ++at;
      continue;
    }
    if (!star) {
      return false;
    }
    take_character(star_rest);
    name = star_rest;
    at = *star + 1;
  }
  return std::all_of(tokens.begin() + static_cast<std::ptrdiff_t>(at),
                     tokens.end(),
                     [](const Token& token) { return token.kind == TokenKind::any_text; });
}

bool Glob::matches(std::string_view path) const {
  if (root_of(path) != root_) {
    return false;
  }
  State state = start();
  for (const std::string_view name : split_path(path.substr(root_.size()))) {
    state = step(state, name);
  }
  return accepts(state);
}

bool Glob::matches_or_contains(std::string_view path) const {
  if (root_of(path) != root_) {
    return false;
  }
  State state = start();
  for (const std::string_view name : split_path(path.substr(root_.size()))) {
    state = step(state, name);
    if (accepts(state)) {
      return true;
    }
  }
  return false;
}

std::string with_slashes(std::string_view text) {
  std::string out(text);
  if constexpr (std::filesystem::path::preferred_separator == '\\') {
    std::replace(out.begin(), out.end(), '\\', '/');
  }
  return out;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    if (!name.empty() && name != ".") {
      names.push_back(name);
    }
    path.remove_prefix(std::min(path.size(), name.size() + 1));
  }
  return names;
}

bool has_wildcards(std::string_view text) {
  return text.find_first_of("*?[{}") != text.npos;
}

bool glob_matches(std::string_view glob, std::string_view path) {
  const auto parsed = Glob::parse(glob);
  return parsed && parsed->matches(path);
}

}  // namespace signctl::plan
