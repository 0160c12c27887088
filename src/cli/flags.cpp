// SPDX-License-Identifier: Apache-2.0
#include "cli/flags.hpp"

#include "cli/choices.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>

namespace signctl::cli {

std::vector<std::string> choices_of(const std::string& meta) {
  std::vector<std::string> choices;
  if (meta.empty() || meta.front() < 'a' || meta.front() > 'z') {
    return choices;
  }
  std::size_t begin = 0;
  while (begin <= meta.size()) {
    const auto end = std::min(meta.find('|', begin), meta.size());
    choices.push_back(meta.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

void Flags::finish(CLI::Option& option, const char* meta) const {
  option.group(group_)->type_name(meta);
  // Nobody means an empty value, and to take it for "not given" would pass what the flag was to
  // check, or overwrite what it was to spare.
  option.check([](const std::string& given) {
    return given.empty() ? std::string("the value is empty: is a variable not set?")
                         : std::string();
  });
  auto choices = choices_of(meta);
  if (choices.empty()) {
    return;
  }
  option.check([choices = std::move(choices)](const std::string& given) {
    if (std::find(choices.begin(), choices.end(), given) != choices.end()) {
      return std::string();
    }
    const auto near = did_you_mean(given, choices);
    return "\"" + printable(given) + "\" is not one of " + join(choices, ", ") +
           (near ? "; did you mean \"" + *near + "\"?" : "");
  });
}

void Flags::flag(const char* names, bool& target, const char* help) {
  app_.add_flag(names, target, help)
      ->group(group_)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Flags::count(const char* names, int& target, const char* help) {
  app_.add_flag(names, target, help)->group(group_);
}

void Flags::value(const char* names, std::string& target, const char* meta, const char* help) {
  finish(*app_.add_option(names, target, help), meta);
}

void Flags::number(const char* names,
                   std::optional<int>& target,
                   const char* meta,
                   const char* help) {
  CLI::Option* option = app_.add_option(names, target, help);
  finish(*option, meta);
  option->check([](const std::string& given) {
    int number = 0;
    const char* end = given.data() + given.size();
    const auto parsed = std::from_chars(given.data(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end
               ? std::string()
               : "\"" + printable(given) + "\" is no whole number that can be meant";
  });
}

void Flags::values(const char* names,
                   std::vector<std::string>& target,
                   const char* meta,
                   const char* help) {
  CLI::Option* option = app_.add_option(names, target, help);
  finish(*option, meta);
  option->allow_extra_args(false);
}

}  // namespace signctl::cli
