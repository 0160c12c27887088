// SPDX-License-Identifier: Apache-2.0
// Everything that reading a VSIX package can reach.

#include "formats/vsix/signable.hpp"
#include "packed.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  auto opened = vsix::open_package(fuzz::archive_of(data, size));
  if (!opened) {
    return 0;
  }
  static_cast<void>((*opened)->facts());
  static_cast<void>((*opened)->hashed_ranges());
  static_cast<void>((*opened)->container_findings());
  static_cast<void>((*opened)->strip());
  const auto stored = (*opened)->signatures();
  for (std::size_t i = 0; stored && i < stored->size(); ++i) {
    static_cast<void>((*opened)->scheme()->examine((*stored)[i].cms));
    const auto stamped = (*opened)->scheme()->with_timestamp((*stored)[i].cms, Bytes{0x30, 0x00});
    if (stamped) {
      static_cast<void>((*opened)->embed({&*stamped, 1}));
    }
  }
  return 0;
}
