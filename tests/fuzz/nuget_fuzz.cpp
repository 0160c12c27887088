// SPDX-License-Identifier: Apache-2.0
// Everything that reading a NuGet package can reach.

#include "formats/nuget/signable.hpp"
#include "packed.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  if (auto opened = nuget::open_package(fuzz::archive_of(data, size))) {
    fuzz::ask_all(**opened, DigestAlg::sha384);
  }
  return 0;
}
