// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
class Option;
}  // namespace CLI

namespace signctl::cli {

/// What is on the command line besides flags. Filled in by us: CLI11 would take "[a,b]" apart as a
/// list in its own syntax.
struct Operands {
  std::vector<std::string*> each;           ///< One value each, in order.
  std::vector<std::string>* rest{nullptr};  ///< All further ones; null if there may be none.
};

/// Declares the flags of one command. A thin face of CLI11, which is slow to compile and whose
/// defaults (a list flag swallows the files behind it) we do not want.
///
/// `names` are comma-separated, for example "-c,--config". `meta` names the value in the help:
/// "FILE" and "DIR" are completed as paths; lower-case words like "a|b|c" are a choice, and nothing
/// else is accepted.
/// Targets are borrowed until the command line has been parsed.
class Flags {
 public:
  Flags(CLI::App& app, Operands& operands) : app_(app), operands_(operands) {}

  /// Heading for what is declared from here on.
  void group(std::string title) { group_ = std::move(title); }

  void flag(const char* names, bool& target, const char* help);
  void count(const char* names, int& target, const char* help);
  void value(const char* names, std::string& target, const char* meta, const char* help);
  void number(const char* names, std::optional<int>& target, const char* meta, const char* help);
  /// May be given several times, one value each.
  void values(const char* names,
              std::vector<std::string>& target,
              const char* meta,
              const char* help);
  void operand(std::string& target) { operands_.each.push_back(&target); }
  void operands(std::vector<std::string>& target) { operands_.rest = &target; }

 private:
  void finish(CLI::Option& option, const char* meta) const;

  CLI::App& app_;
  Operands& operands_;
  std::string group_{"Options"};
};

}  // namespace signctl::cli
