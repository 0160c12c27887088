// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_names.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <numeric>

namespace signctl::zip {
namespace {

Error refused(std::string_view name, const std::string& why) {
  return {ErrorKind::input, "the archive has an entry named \"" + printable(name) + "\": " + why};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// Calls `visit` with each part of `name` between separators; a final `/` marks a folder and gives
/// no empty last part.
template <class Visit>
void for_each_component(std::string_view name, std::string_view separators, Visit visit) {
  while (true) {
    const auto end = name.find_first_of(separators);
    visit(name.substr(0, end));
    if (end == std::string_view::npos || end + 1 == name.size()) {
      return;
    }
    name.remove_prefix(end + 1);
  }
}

}  // namespace

Result<void> check_name(std::string_view name, Strictness strictness) {
  if (name.empty()) {
    return refused(name, "it is empty");
  }
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return refused(name, "it has control characters");
  }
  if (name.front() == '/' || name.front() == '\\' || (name.size() > 1 && name[1] == ':')) {
    return refused(name, "it is not relative");
  }
  const bool package = strictness == Strictness::package;
  if (package && name.find('\\') != std::string_view::npos) {
    return refused(name, "it has a backslash");
  }
  bool climbs = false;
  bool odd = false;
  for_each_component(name, "/\\", [&](std::string_view part) {
    climbs = climbs || part == "..";
    odd = odd || part.empty() || part == ".";
  });
  if (climbs) {
    return refused(name, "it climbs out of its folder");
  }
  if (package && odd) {
    return refused(name, "it has an empty component");
  }
  return ok();
}

Result<void> check_no_duplicates(const std::vector<Entry>& entries, Strictness strictness) {
  const bool package = strictness == Strictness::package;
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const auto compare = [&](std::size_t a, std::size_t b) {
    const std::string& x = entries[a].name;
    const std::string& y = entries[b].name;
    return package ? std::lexicographical_compare(
                         x.begin(),
                         x.end(),
                         y.begin(),
                         y.end(),
                         [&](char left, char right) { return lower(left) < lower(right); })
                   : x < y;
  };
  std::sort(order.begin(), order.end(), compare);
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (!compare(order[i - 1], order[i])) {
      return refused(entries[order[i]].name, "another entry has that name");
    }
  }
  return ok();
}

}  // namespace signctl::zip
