// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

// What the mock token is and has been through. It lives in a folder (variable SIGNCTL_MOCK_P11), so
// that PIN tries are counted across processes, as a token counts them:
//
//   config      key=value lines, written by the test
//   tries       PIN tries left, written here
//   errors, signatures      how many so far, written here
//   calls       one line for each interesting call, appended here
namespace signctl::mock {

class State {
 public:
  /// Reads the folder anew.
  static State load();

  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] unsigned long number(std::string_view key, unsigned long otherwise) const;
  [[nodiscard]] bool is_on(std::string_view key) const { return number(key, 0) != 0; }
  [[nodiscard]] std::string path(std::string_view name) const;

  /// Adds a line to `calls`.
  void record(std::string_view call) const;

  /// The number in a file, one more with each call; 0 the first time.
  [[nodiscard]] unsigned long next(std::string_view counter) const;
  [[nodiscard]] unsigned long count(std::string_view counter) const;

  [[nodiscard]] unsigned long tries_left() const;
  void set_tries_left(unsigned long tries) const;

 private:
  std::string folder_;
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace signctl::mock
