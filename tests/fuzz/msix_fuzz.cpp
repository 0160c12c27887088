// SPDX-License-Identifier: Apache-2.0
// Everything that reading an app package or bundle can reach.

#include "formats/msix/signable.hpp"
#include "packed.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  if (auto opened = msix::open_package(fuzz::archive_of(data, size))) {
    fuzz::ask_all(**opened, DigestAlg::sha256);
  }
  return 0;
}
