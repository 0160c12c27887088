// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/pe_builder.hpp"

#include <signctl/claims.hpp>
#include <signctl/format.hpp>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("detect: a PE image is recognised whatever it is called", "[formats]") {
  const MemorySource image(make_pe());

  for (const std::string path : {"setup.exe", "setup", "a.b/setup", "setup.txt", "C:\\x\\y.DLL"}) {
    INFO(path);
    CHECK(must(detect_format(image, path))->name() == "pe");
  }
}

TEST_CASE("detect: an empty file is an input error", "[formats]") {
  const auto format = detect_format(MemorySource({}), "setup.exe");

  REQUIRE_FALSE(format);
  CHECK(format.error().kind == ErrorKind::input);
  CHECK(format.error().message == "the file is empty");
}

TEST_CASE("detect: what no format knows is unsupported, and the formats are named", "[formats]") {
  const std::string text = "#!/bin/sh\necho MZ\n";

  const auto format = detect_format(MemorySource(Bytes(text.begin(), text.end())), "setup.exe");

  REQUIRE_FALSE(format);
  CHECK(format.error().kind == ErrorKind::unsupported);
  CHECK(format.error().hint.find("pe") != std::string::npos);
}

TEST_CASE("detect: a PE header behind the first 4 KiB is found by opening", "[formats]") {
  PeSpec spec;
  spec.pe_offset = 0x2000;
  spec.headers_size = 0x2400;
  spec.sections = {{".text", 0x2400, 0x200}};
  const auto source = std::make_shared<MemorySource>(make_pe(spec));

  const Format* format = must(detect_format(*source, "setup.exe"));

  CHECK(format->name() == "pe");
  CHECK(format->open(source).has_value());
}

TEST_CASE("detect: a small 16-bit program is not taken for a PE image", "[formats]") {
  Bytes program(600, 0x90);
  program[0] = 'M';
  program[1] = 'Z';
  poke_u32(program, 0x3C, 309100590);

  const auto format = detect_format(MemorySource(program), "MORE.EXE");

  REQUIRE_FALSE(format);
  CHECK(format.error().kind == ErrorKind::unsupported);
}

TEST_CASE("detect: names that only one format has claim it", "[formats]") {
  const std::pair<const char*, const char*> claims[] = {{"a/setup.EXE", "pe"},
                                                        {"b.sys", "pe"},
                                                        {"c.msp", "msi"},
                                                        {"d.cab", "cab"},
                                                        {"e.cat", "cat"},
                                                        {"f.appxbundle", "msix"},
                                                        {"g.snupkg", "nuget"},
                                                        {"h.vsix", "vsix"},
                                                        {"i.zip", "zip"}};
  for (const auto& [path, name] : claims) {
    INFO(path);
    REQUIRE(claimed_format(path) != nullptr);
    CHECK(claimed_format(path)->name() == name);
  }
  for (const char* path : {"a.js", "b.ps1", "c.node", "d.manifest", "e.txt", "exe", ""}) {
    INFO(path);
    CHECK(claimed_format(path) == nullptr);
  }
}
