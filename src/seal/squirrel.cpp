// SPDX-License-Identifier: Apache-2.0
// RELEASES of Squirrel.Windows (its documentation, "The RELEASES file"), which Velopack writes as
// well: a line for each package with SHA-1, name or URL, and size; a comment may follow.
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <algorithm>

namespace signctl::seal {

namespace {

class Squirrel final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "squirrel"; }
  [[nodiscard]] std::string_view title() const override { return "Squirrel RELEASES file"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view) const override {
    return file_name == "RELEASES" || file_name.starts_with("RELEASES-");
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

constexpr std::string_view kBlanks = " \t\r";

/// "12AB... App-1.0-full.nupkg 1234", or nothing: the name may hold blanks.
Result<void> read_line(std::string_view line,
                       std::size_t begin,
                       std::size_t number,
                       std::vector<Slot>& slots) {
  if (line.empty()) {
    return ok();
  }
  const std::size_t first = std::min(line.find_first_of(kBlanks), line.size());
  const std::size_t last = line.find_last_of(kBlanks);
  const std::size_t name = line.find_first_not_of(kBlanks, first);
  if (alg_of_digits(first) != DigestAlg::sha1 || !is_hex(line.substr(0, first)) ||
      last == std::string_view::npos || name >= last ||
      line.find_first_not_of("0123456789", last + 1) != std::string_view::npos) {
    return malformed("line " + std::to_string(number) + " is not SHA-1, name and size");
  }
  const std::string_view named = line.substr(name, last - name);
  Slot slot = slot_for_url(named.substr(0, named.find_last_not_of(kBlanks) + 1));
  slot.label = "SHA-1";
  slot.alg = DigestAlg::sha1;
  slot.begin = begin;
  slot.end = begin + first;
  slots.push_back(slot);
  slot.label = "size";
  slot.fact = Fact::size;
  slot.begin = begin + last + 1;
  slot.end = begin + line.size();
  slots.push_back(slot);
  return ok();
}

Result<std::vector<Slot>> Squirrel::read(std::string_view, std::string_view text) const {
  std::vector<Slot> slots;
  std::size_t number = 0;
  for (std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    // A comment begins with #, wherever it is.
    std::string_view line = text.substr(begin, end - begin);
    line = line.substr(0, line.find('#'));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
    ++number;
    SIGNCTL_CHECK(read_line(line, begin, number, slots), "");
    begin = end + 1;
  }
  return slots;
}

}  // namespace

const Dependent& squirrel_dependent() {
  static const Squirrel instance;
  return instance;
}

}  // namespace signctl::seal
