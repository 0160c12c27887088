// SPDX-License-Identifier: Apache-2.0
// Everything that reading a ClickOnce manifest can reach.

#include "core/file.hpp"
#include "formats/clickonce/examine.hpp"
#include "formats/clickonce/make.hpp"
#include "formats/clickonce/signable.hpp"

#include <cstdint>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  const Bytes bytes(data, data + size);
  auto opened = clickonce::open_manifest(std::make_shared<MemorySource>(bytes));
  if (!opened) {
    return 0;
  }
  static_cast<void>((*opened)->signatures());
  static_cast<void>((*opened)->container_findings());
  static_cast<void>((*opened)->facts());
  static_cast<void>((*opened)->strip());
  static_cast<void>(clickonce::examine(bytes));
  static_cast<void>(clickonce::with_timestamp(bytes, Bytes{0x30, 0x00}));
  return 0;
}
