// SPDX-License-Identifier: Apache-2.0
#include "plan/glob.hpp"

#include "plan/plan.hpp"

#include <algorithm>
#include <optional>

namespace signctl::plan {

namespace {

constexpr std::size_t kMaxAlternatives = 1000;
constexpr std::string_view kAnyFolders = "**";

/// Index of the bracket that closes the one at `open`; npos if there is none.
std::size_t closing_bracket(std::string_view pattern, std::size_t open) {
  std::size_t at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) {
    ++at;
  }
  // A bracket in first place stands for itself.
  return at < pattern.size() ? pattern.find(']', at + 1) : std::string_view::npos;
}

bool in_class(std::string_view members, char c) {
  bool negated = false;
  if (!members.empty() && (members[0] == '!' || members[0] == '^')) {
    negated = true;
    members.remove_prefix(1);
  }
  bool found = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 2 < members.size() && members[i + 1] == '-') {
      found = found || (members[i] <= c && c <= members[i + 2]);
      i += 2;
    } else {
      found = found || members[i] == c;
    }
  }
  return found != negated;
}

/// Length of the first UTF-8 character, so that `?` takes all of it.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    ++size;
  }
  return size;
}

/// One step of a match: how much of pattern and name a single element takes; empty if it does not
/// match.
struct Step {
  std::size_t pattern{};
  std::size_t name{};
};

std::optional<Step> match_one(std::string_view pattern, std::string_view name) {
  if (name.empty()) {
    return std::nullopt;
  }
  if (pattern[0] == '?') {
    return Step{1, character_size(name)};
  }
  const std::size_t close =
      pattern[0] == '[' ? closing_bracket(pattern, 0) : std::string_view::npos;
  if (close != std::string_view::npos) {
    return in_class(pattern.substr(1, close - 1), name[0]) ? std::optional(Step{close + 1, 1})
                                                           : std::nullopt;
  }
  return pattern[0] == name[0] ? std::optional(Step{1, 1}) : std::nullopt;
}

using Names = std::vector<std::string_view>;

/// Both lists from the given places on. Remembers what has failed, so that many `**` stay cheap.
bool names_match(const Names& patterns, const Names& names) {
  const std::size_t columns = names.size() + 1;
  // reachable[j]: the patterns so far can match the first j names.
  std::vector<bool> reachable(columns, false);
  reachable[0] = true;
  for (const std::string_view pattern : patterns) {
    std::vector<bool> next(columns, false);
    for (std::size_t j = 0; j < columns; ++j) {
      if (pattern == kAnyFolders) {
        next[j] = reachable[j] || (j > 0 && next[j - 1]);
      } else if (j > 0) {
        next[j] = reachable[j - 1] && name_matches(pattern, names[j - 1]);
      }
    }
    reachable = std::move(next);
  }
  return reachable.back();
}

/// The top-level commas between the brace at `open` and its partner, and that partner last.
Result<std::vector<std::size_t>> separators(std::string_view pattern, std::size_t open) {
  std::vector<std::size_t> places;
  int depth = 0;
  for (std::size_t at = open; at < pattern.size(); ++at) {
    if (pattern[at] == '{') {
      ++depth;
    } else if (pattern[at] == ',' && depth == 1) {
      places.push_back(at);
    } else if (pattern[at] == '}' && --depth == 0) {
      places.push_back(at);
      return places;
    }
  }
  return Error{ErrorKind::config,
               "the pattern \"" + std::string(pattern) + "\" has a { without its }"};
}

}  // namespace

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[{") != std::string_view::npos;
}

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t slash = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, slash - start);
    if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    start = slash + 1;
  }
  return parts;
}

bool name_matches(std::string_view pattern, std::string_view name) {
  // Where to go on when a later part fails: after the last star, one character further.
  std::optional<Step> star;
  std::size_t p = 0;
  std::size_t n = 0;
  while (n < name.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = Step{++p, n};
      continue;
    }
    const auto step =
        p < pattern.size() ? match_one(pattern.substr(p), name.substr(n)) : std::nullopt;
    if (step) {
      p += step->pattern;
      n += step->name;
    } else if (star && star->name < name.size()) {
      star->name += character_size(name.substr(star->name));
      p = star->pattern;
      n = star->name;
    } else {
      return false;
    }
  }
  return true;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  const bool same_root = pattern.starts_with('/') == path.starts_with('/');
  return same_root && names_match(components(pattern), components(path));
}

Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  std::vector<std::string> done;
  std::vector<std::string> pending{std::string(pattern)};
  while (!pending.empty()) {
    const std::string one = std::move(pending.back());
    pending.pop_back();
    const std::size_t open = one.find('{');
    if (open == std::string::npos) {
      done.push_back(one);
      continue;
    }
    SIGNCTL_TRY(const auto places, separators(one, open), "");
    std::size_t end = places.size();
    // Backwards, so that the first alternative is taken up first.
    while (end-- > 0) {
      const std::size_t start = end == 0 ? open : places[end - 1];
      pending.push_back(one.substr(0, open) + one.substr(start + 1, places[end] - start - 1) +
                        one.substr(places.back() + 1));
    }
    if (pending.size() + done.size() > kMaxAlternatives) {
      return Error{ErrorKind::config,
                   "the pattern \"" + std::string(pattern) + "\" has more than 1,000 alternatives"};
    }
  }
  for (const std::string& one : done) {
    const std::size_t open = one.find('[');
    if (open != std::string::npos && closing_bracket(one, open) == std::string_view::npos) {
      return Error{ErrorKind::config,
                   "the pattern \"" + std::string(pattern) + "\" has a [ without its ]"};
    }
  }
  return done;
}

bool glob_matches(std::string_view glob, std::string_view path) {
  const auto patterns = expand_braces(glob);
  return patterns && std::any_of(patterns->begin(), patterns->end(), [&](const std::string& one) {
           return path_matches(one, path);
         });
}

}  // namespace signctl::plan
