// SPDX-License-Identifier: Apache-2.0
// Not a test: writes the seeds in tests/fuzz/corpus/nuget anew. Run with
//   test_unit_formats_nuget "nuget corpus: write the fuzzing seeds"

#include "nuget_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// As tests/fuzz/nuget_fuzz.cpp reads it.
Bytes listed(const ZipSpec& spec) {
  Bytes out;
  for (const ZipFile& file : spec.files) {
    out.insert(out.end(), file.name.begin(), file.name.end());
    out.push_back('\n');
    out.push_back(static_cast<std::uint8_t>(file.bytes.size()));
    out.push_back(static_cast<std::uint8_t>(file.bytes.size() >> 8U));
    out.insert(out.end(), file.bytes.begin(), file.bytes.end());
  }
  return out;
}

ZipSpec stored() {
  ZipSpec spec = nuget_package();
  for (ZipFile& file : spec.files) {
    file.deflated = false;
    file.descriptor = 0;
  }
  return spec;
}

}  // namespace

TEST_CASE("nuget corpus: write the fuzzing seeds", "[.][corpus]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/tests/fuzz/corpus/nuget/";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  REQUIRE_FALSE(error);
  const std::string text = text_over(make_zip(stored()));
  CmsRecipe author = author_recipe(nuget_author(), text);
  author.certificates.push_back(nuget_repository().chain.front().der());
  const Bytes by_author = build(author, nuget_author().key);
  const Bytes by_repository =
      build(repository_recipe(nuget_repository(), text), nuget_repository().key);

  spill(folder + "unsigned", listed(stored()));
  for (const auto& [name, cms] :
       {std::pair("author", by_author),
        std::pair("repository", by_repository),
        std::pair("both", countersigned(by_author, nuget_repository()))}) {
    ZipSpec spec = stored();
    spec.files.push_back(signature_file(cms));
    spill(folder + name, listed(spec));
  }
}
