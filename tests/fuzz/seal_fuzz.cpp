// SPDX-License-Identifier: Apache-2.0
// Every reader of dependent files on every text; the first octet chooses the file's name.

#include "core/text.hpp"
#include "seal/dependent.hpp"

#include <array>
#include <cstdlib>

namespace {

using namespace signctl;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 8> kNames{"SHA256SUMS",
                                                   "setup.exe.sha256",
                                                   "latest.yml",
                                                   "RELEASES",
                                                   "releases.win.json",
                                                   "app.installer.yaml",
                                                   "app.json",
                                                   "appcast.xml"};
  if (size == 0) {
    return 0;
  }
  const std::string_view name = kNames[data[0] % kNames.size()];
  const std::string_view text = as_text(ByteView(data + 1, size - 1));
  static_cast<void>(seal::find_dependent(name, text));
  for (const seal::Dependent* dependent : seal::dependents()) {
    const auto slots = seal::slots_of(*dependent, name, text);
    if (!slots) {
      continue;
    }
    std::size_t end = 0;
    for (const seal::Slot& slot : *slots) {
      require(slot.begin >= end && slot.begin <= slot.end && slot.end <= text.size() &&
              !slot.target.empty() && !slot.label.empty());
      end = slot.end;
    }
  }
  return 0;
}
