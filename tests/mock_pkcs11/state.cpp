// SPDX-License-Identifier: Apache-2.0
#include "state.hpp"

#include <cstdlib>
#include <fstream>

namespace signctl::mock {

State State::load() {
  State state;
  const char* folder = std::getenv("SIGNCTL_MOCK_P11");  // NOLINT(concurrency-mt-unsafe): read only
  state.folder_ = folder == nullptr ? "." : folder;
  std::ifstream config(state.path("config"));
  for (std::string line; std::getline(config, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) {
      state.values_[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return state;
}

std::string State::text(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

unsigned long State::number(std::string_view key, unsigned long otherwise) const {
  const std::string value = text(key);
  return value.empty() ? otherwise : std::strtoul(value.c_str(), nullptr, 0);
}

std::string State::path(std::string_view name) const {
  return folder_ + "/" + std::string(name);
}

void State::record(std::string_view call) const {
  // One write of less than a page to a file opened for appending: lines of several threads and
  // processes do not mix.
  std::ofstream calls(path("calls"), std::ios::app);
  calls << std::string(call) + "\n" << std::flush;
}

unsigned long State::next(std::string_view counter) const {
  const unsigned long before = count(counter);
  std::ofstream(path(counter), std::ios::trunc) << before + 1;
  return before;
}

unsigned long State::count(std::string_view counter) const {
  unsigned long number = 0;
  static_cast<void>(std::ifstream(path(counter)) >> number);
  return number;
}

unsigned long State::tries_left() const {
  std::ifstream file(path("tries"));
  unsigned long tries = 0;
  return file >> tries ? tries : number("tries", 3);
}

void State::set_tries_left(unsigned long tries) const {
  std::ofstream(path("tries"), std::ios::trunc) << tries;
}

}  // namespace signctl::mock
