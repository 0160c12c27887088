// SPDX-License-Identifier: Apache-2.0
// Third-party files, and digests that were computed by others.
#include "script_test.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <filesystem>
#include <iostream>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

struct Golden {
  const char* extension;
  const char* sha256;
};

// The samples are Jsign's, and so is the rule for each (see docs/formats/script.md).
constexpr std::array<Golden, 5> kGolden{{
    {"ps1", "b45c13a489ab4452395d677d14b3ba03af72163663c0fd2f4241f6aeef4a4f09"},
    {"ps1xml", "fb1826c019cc69d2e210a821fc91f15918ff5d6502e005e6a57d6a82055cbaf9"},
    {"vbs", "e5e4d1e3d3d294cb13b95c91da26b01e9bd6fa261c1008e32951e891b504a2e2"},
    {"js", "249803a679174c0393c2168ccce0690b65a6d048c259a127ef3828841166ca69"},
    {"wsf", "eb8a7b4c454b923bbe7e4bae87b374e448312030d8b2b23253e1562fcd46f9a0"},
}};

}  // namespace

TEST_CASE("script: the digests of Jsign's samples are those of the reference", "[script]") {
  const std::string folder = std::string(SIGNCTL_SOURCE_DIR) + "/../shared/testdata/jsign/";
  if (!std::filesystem::is_directory(folder)) {
    std::cout << "SKIPPED: Jsign's sample scripts are not here\n";
    return;
  }
  for (const Golden& golden : kGolden) {
    INFO(golden.extension);
    const Bytes bytes = slurp(folder + "hello-world." + golden.extension);
    const std::string text(as_text(bytes));

    CHECK(digest_hex_of(*open(golden.extension, text)) == golden.sha256);

    const std::string signed_text = with_signature(golden.extension, text);
    CHECK(digest_hex_of(*open(golden.extension, signed_text)) == golden.sha256);
    CHECK(without_signature(golden.extension, signed_text) == text);
    CHECK(finding_ids(golden.extension, signed_text).empty());
  }
}

TEST_CASE("script: a block is what Windows and its peers write", "[script]") {
  const std::string signed_text = with_signature("ps1xml", "<x/>", Bytes(60, 0));

  CHECK(signed_text ==
        "<x/>\r\n"
        "<!-- SIG # Begin signature block -->\r\n"
        "<!-- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA -->\r\n"
        "<!-- AAAAAAAAAAAAAAAA -->\r\n"
        "<!-- SIG # End signature block -->\r\n");
}

TEST_CASE("script: a WSF's block stands before the last </job>", "[script]") {
  const std::string signed_text =
      with_signature("wsf", "<package><job></job>\n<job>x</job></package>", Bytes(3, 0));

  CHECK(signed_text ==
        "<package><job></job>\n<job>x\r\n<signature>\r\n** SIG ** AAAA\r\n</signature>\r\n"
        "</job></package>");
}
