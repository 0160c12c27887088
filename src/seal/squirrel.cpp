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

Result<std::vector<Slot>> Squirrel::read(std::string_view, std::string_view text) const {
  std::vector<Slot> slots;
  std::size_t number = 0;
  for (std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    line = line.substr(0, line.find_last_not_of(" \r\t") + 1);
    ++number;
    if (!line.empty() && line.front() != '#') {
      const std::size_t first = std::min(line.find(' '), line.size());
      // The name may hold blanks; a comment begins with a blank and #.
      const std::string_view told = line.substr(0, line.find(" #"));
      const std::size_t last = told.find_last_of(' ');
      const std::string_view digits =
          last == std::string_view::npos ? std::string_view{} : told.substr(last + 1);
      if (alg_of_digits(first) != DigestAlg::sha1 || !is_hex(line.substr(0, first)) ||
          last == std::string_view::npos || last <= first || digits.empty() ||
          digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return malformed("line " + std::to_string(number) + " is not SHA-1, name and size");
      }
      Slot slot;
      slot.target = name_in_url(told.substr(first + 1, last - first - 1));
      slot.label = "SHA-1";
      slot.alg = DigestAlg::sha1;
      slot.begin = begin;
      slot.end = begin + first;
      slots.push_back(slot);
      slot.label = "size";
      slot.fact = Fact::size;
      slot.begin = begin + last + 1;
      slot.end = slot.begin + digits.size();
      slots.push_back(slot);
    }
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
