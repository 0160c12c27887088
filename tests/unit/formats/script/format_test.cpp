// SPDX-License-Identifier: Apache-2.0
#include "script_test.hpp"
#include "support/catch.hpp"
#include "support/pe_builder.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

TEST_CASE("script: the name alone tells a script", "[script]") {
  const MemorySource text(from_string("x"));

  for (const script::Dialect& dialect : script::dialects()) {
    CHECK(must(detect_format(text, "a/b." + std::string(dialect.extension)))->name() == "script");
  }
  CHECK(must(detect_format(text, "INSTALL.PS1"))->name() == "script");
  CHECK(detect_format(text, "ps1").error().kind == ErrorKind::unsupported);
  CHECK(detect_format(text, "x.txt").error().kind == ErrorKind::unsupported);
}

TEST_CASE("script: an executable under a script's name is refused", "[script]") {
  const auto format = detect_format(MemorySource(make_pe()), "harmless.js");

  REQUIRE_FALSE(format);
  CHECK(format.error().kind == ErrorKind::unsupported);
  CHECK(format.error().message == "the file looks like several formats at once: pe, script");
}

TEST_CASE("script: encoded scripts are refused by their name", "[script]") {
  const auto source = std::make_shared<MemorySource>(from_string("#@~^"));
  for (const std::string extension : {"vbe", "jse"}) {
    const Format* format = must(detect_format(*source, "x." + extension));

    const auto file = format->open_named(source, extension);

    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::unsupported);
    CHECK(file.error().message ==
          "encoded scripts (." + extension + ") cannot be signed or judged");
  }
}

TEST_CASE("script: only JavaScript has to be named to be signed", "[script]") {
  const Format* format = must(detect_format(MemorySource(from_string("x")), "x.js"));

  CHECK_FALSE(format->is_meant_unnamed("js"));
  CHECK(format->is_meant_unnamed("ps1"));
  CHECK(format->is_meant_unnamed("vbs"));
}

TEST_CASE("script: garbage under any name is an error with words or plain text", "[script]") {
  for (const script::Dialect& dialect : script::dialects()) {
    for (unsigned seed = 0; seed < 50; ++seed) {
      std::string text;
      for (unsigned i = 0; i < 200; ++i) {
        text.push_back(static_cast<char>((seed * 7919U + i * (seed + 3U) * 104729U) >> 4U));
      }
      const auto file = try_open(std::string(dialect.extension), text);
      CHECK((file || !file.error().message.empty()));
    }
  }
}
