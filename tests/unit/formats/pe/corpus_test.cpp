// SPDX-License-Identifier: Apache-2.0
// Not a test: writes the seeds in tests/fuzz/corpus/pe anew. Run with
//   test_unit_formats_pe "pe corpus: write the fuzzing seeds"

#include "formats/pe/image_data.hpp"
#include "pe_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("pe corpus: write the fuzzing seeds", "[.][corpus]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/pe/";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  REQUIRE_FALSE(error);
  PeSpec small;
  small.pe_offset = 0x40;
  small.headers_size = 0x200;
  small.sections = {{".text", 0x200, 0x200}, {".data", 0x400, 0x40}};
  PeSpec small_32 = small;
  small_32.kind = PeKind::pe32;
  small_32.overlay = 5;
  PeSpec efi = small;
  efi.subsystem = 10;
  PeSpec gap = small;
  gap.sections[1].raw_offset = 0x480;
  const PeEntry entry{fake_signature(60)};
  const pe::PageHashRows rows{DigestAlg::sha1, Bytes(4 * 24, 0x11)};

  spill(folder + "unsigned-64", make_pe(small));
  spill(folder + "unsigned-32", make_pe(small_32));
  spill(folder + "signed-64", with_table(make_pe(small), {entry}));
  spill(folder + "signed-32", with_table(make_pe(small_32), {entry}));
  spill(folder + "two-entries", with_table(make_pe(efi), {entry, entry}));
  spill(folder + "other-entry", with_table(make_pe(small), {entry, {Bytes(16, 0x41), 0x0EF1}}));
  spill(folder + "gap", with_table(make_pe(gap), {entry}));
  spill(folder + "image-data", pe::encode_image_data({}));
  spill(folder + "page-hashes", pe::encode_image_data({rows}));
}
