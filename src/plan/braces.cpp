// SPDX-License-Identifier: Apache-2.0
#include "plan/braces.hpp"

#include "core/text.hpp"

namespace signctl::plan {

namespace {

/// More is a mistake, and would make every match slow.
constexpr std::size_t kMostAlternatives = 1000;
constexpr std::size_t kDeepest = 16;

/// A `{...}`: where its options begin and end in the pattern.
struct Group {
  std::vector<std::string_view> options;
  std::size_t end{};  ///< Behind the closing brace.
};

class Expansion {
 public:
  explicit Expansion(std::string_view pattern) : pattern_(pattern) {}

  Result<std::vector<std::string>> expand(std::string_view text, std::size_t depth) const;

 private:
  [[nodiscard]] Error malformed(const std::string& why) const {
    return malformed_pattern(pattern_, why);
  }
  Result<std::size_t> find_group(std::string_view text) const;
  Result<Group> read_group(std::string_view text, std::size_t open) const;
  Result<std::vector<std::string>> expand_options(const Group& group, std::size_t depth) const;
  Result<std::vector<std::string>> append_each(const std::vector<std::string>& heads,
                                               const std::vector<std::string>& tails) const;

  std::string_view pattern_;
};

/// Where the first `{` outside of a set is; npos when there is none.
Result<std::size_t> Expansion::find_group(std::string_view text) const {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') {
      return i;
    }
    if (text[i] == '}') {
      return malformed("a } has no {");
    }
    const std::size_t end = text[i] == '[' ? find_set_end(text, i) : i;
    if (end == text.npos) {
      return malformed("a [ is never closed");
    }
    i = end;
  }
  return text.npos;
}

Result<Group> Expansion::read_group(std::string_view text, std::size_t open) const {
  Group group;
  std::size_t depth = 0;
  std::size_t begin = open + 1;
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[') {
      const std::size_t end = find_set_end(text, i);
      if (end == text.npos) {
        return malformed("a [ is never closed");
      }
      i = end;
      continue;
    }
    depth += c == '{' ? 1U : 0U;
    depth -= c == '}' ? 1U : 0U;
    if ((c == ',' && depth == 1) || depth == 0) {
      group.options.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
    if (depth == 0) {
      group.end = begin;
      return group;
    }
  }
  return malformed("a { is never closed");
}

Result<std::vector<std::string>> Expansion::expand_options(const Group& group,
                                                           std::size_t depth) const {
  std::vector<std::string> all;
  for (const std::string_view option : group.options) {
    SIGNCTL_TRY(const auto some, expand(option, depth + 1), "");
    all.insert(all.end(), some.begin(), some.end());
    if (all.size() > kMostAlternatives) {
      return malformed("its braces spell out too many patterns");
    }
  }
  return all;
}

Result<std::vector<std::string>> Expansion::append_each(
    const std::vector<std::string>& heads, const std::vector<std::string>& tails) const {
  if (heads.size() * tails.size() > kMostAlternatives) {
    return malformed("its braces spell out too many patterns");
  }
  std::vector<std::string> all;
  for (const std::string& head : heads) {
    for (const std::string& tail : tails) {
      all.push_back(head + tail);
    }
  }
  return all;
}

Result<std::vector<std::string>> Expansion::expand(std::string_view text, std::size_t depth) const {
  if (depth > kDeepest) {
    return malformed("its braces are nested too deeply");
  }
  std::vector<std::string> all{""};
  while (!text.empty()) {
    SIGNCTL_TRY(const std::size_t open, find_group(text), "");
    const std::string plain(text.substr(0, open));
    for (std::string& head : all) {
      head += plain;
    }
    if (open == text.npos) {
      break;
    }
    SIGNCTL_TRY(const Group group, read_group(text, open), "");
    SIGNCTL_TRY(const auto options, expand_options(group, depth), "");
    SIGNCTL_TRY(all, append_each(all, options), "");
    text.remove_prefix(group.end);
  }
  return all;
}

}  // namespace

Error malformed_pattern(std::string_view pattern, const std::string& why) {
  return {ErrorKind::config,
          "the pattern \"" + printable(pattern) + "\" is malformed: " + why,
          "write [{] or [[] for the character itself"};
}

std::size_t find_set_end(std::string_view text, std::size_t open) {
  std::size_t first = open + 1;
  if (first < text.size() && (text[first] == '!' || text[first] == '^')) {
    ++first;
  }
  // POSIX.1-2017, 9.3.5: a ] that comes first is a member of the set.
  return text.find(']', first + 1);
}

Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  return Expansion(pattern).expand(pattern, 0);
}

}  // namespace signctl::plan
