// SPDX-License-Identifier: Apache-2.0
// Not a test: writes the seeds in tests/fuzz/corpus/script anew. Run with
//   test_unit_formats_script "script corpus: write the fuzzing seeds"

#include "script_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("script corpus: write the fuzzing seeds", "[.][corpus]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/script/";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  REQUIRE_FALSE(error);
  const auto all = script::dialects();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string extension(all[i].extension);
    // The first byte selects the dialect.
    const std::string selector(1, static_cast<char>(i));
    const std::string signed_text = with_signature(extension, sample(extension));
    spill(folder + extension, from_string(selector + sample(extension)));
    spill(folder + extension + "-signed", from_string(selector + signed_text));
    spill(folder + extension + "-utf16", from_string(selector + utf16(signed_text, i % 2 == 0)));
  }
}
