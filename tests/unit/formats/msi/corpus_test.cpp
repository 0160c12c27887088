// SPDX-License-Identifier: Apache-2.0
// Not a test: writes the seeds in tests/fuzz/corpus/msi anew. Run with
//   test_unit_formats_msi "msi corpus: write the fuzzing seeds"

#include "cfb_builder.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("msi corpus: write the fuzzing seeds", "[.][corpus]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/msi/";
  CfbSpec with_holes;
  with_holes.holes = 3;
  CfbSpec with_signature;
  with_signature.streams.emplace_back(std::u16string(msi::kSignatureName), Bytes(100, 0x30));
  with_signature.streams.emplace_back(std::u16string(msi::kPrehashName), Bytes(32, 0x31));
  spill(folder + "version-3", make_cfb());
  spill(folder + "holes", make_cfb(with_holes));
  spill(folder + "signed", make_cfb(with_signature));
  CfbSpec small{4, {{u"A", Bytes(10, 1)}}};
  spill(folder + "version-4", make_cfb(small));
}
