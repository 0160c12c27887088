// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "seal/dependent.hpp"

#include <algorithm>
#include <array>

// Adding a type: one file with its function, and one entry here.
// clang-format off
#define SIGNCTL_DEPENDENTS(X) \
  X(checksums) X(electron) X(squirrel) X(velopack) X(winget) X(scoop) X(appcast)
// clang-format on

namespace signctl::seal {

#define SIGNCTL_DECLARE_DEPENDENT(name) const Dependent& name##_dependent();
SIGNCTL_DEPENDENTS(SIGNCTL_DECLARE_DEPENDENT)
#undef SIGNCTL_DECLARE_DEPENDENT

std::span<const Dependent* const> dependents() {
#define SIGNCTL_LIST_DEPENDENT(name) &name##_dependent(),
  static const std::array all{SIGNCTL_DEPENDENTS(SIGNCTL_LIST_DEPENDENT)};
#undef SIGNCTL_LIST_DEPENDENT
  return all;
}

Result<std::vector<Slot>> slots_of(const Dependent& dependent,
                                   std::string_view file_name,
                                   std::string_view text) {
  SIGNCTL_TRY(auto slots, dependent.read(file_name, text), "");
  std::sort(
      slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.begin < b.begin; });
  std::size_t end = 0;
  for (const Slot& slot : slots) {
    if (slot.begin < end || slot.end < slot.begin || slot.end > text.size()) {
      return Error{
          ErrorKind::input,
          slot.label + " of " + printable(slot.target) + " cannot be told from what is beside it"};
    }
    if (slot.target.empty()) {
      return Error{ErrorKind::input, "a " + slot.label + " is of a file without a name"};
    }
    end = slot.end;
  }
  return slots;
}

const Dependent* find_dependent(std::string_view file_name, std::string_view text) {
  for (const Dependent* dependent : dependents()) {
    if (dependent->recognises(file_name, text)) {
      return dependent;
    }
  }
  return nullptr;
}

}  // namespace signctl::seal
