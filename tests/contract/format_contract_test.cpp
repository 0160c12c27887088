// SPDX-License-Identifier: Apache-2.0
// What holds for every format of this build.

#include "core/file.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// Bytes that look random and are the same every time.
Bytes noise(std::size_t size, std::uint32_t seed) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(seed >> 24U);
  }
  return bytes;
}

Bytes from_text(std::string_view text) {
  return {text.begin(), text.end()};
}

std::vector<Bytes> garbage() {
  std::vector<Bytes> inputs{{}, {0}, Bytes(4096, 0), Bytes(4096, 0xFF)};
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    inputs.push_back(noise(seed * 37, seed));
  }
  // Magic numbers alone are not files.
  for (const std::string_view magic :
       {"MZ", "PE", "MSCF", "PK\x03\x04", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "0\x82"}) {
    Bytes bytes = from_text(magic);
    inputs.push_back(bytes);
    bytes.resize(600, 0);
    inputs.push_back(bytes);
    const Bytes rest = noise(600, 7);
    bytes = from_text(magic);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    inputs.push_back(bytes);
  }
  return inputs;
}

bool is_lower_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

}  // namespace

TEST_CASE("format contract: every folder below src/formats is in the table", "[contract]") {
  std::set<std::string> folders;
  std::error_code error;
  const std::filesystem::path root(std::string(SIGNCTL_SOURCE_DIR) + "/src/formats");
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name != "common") {
      folders.insert(name);
    }
  }
  REQUIRE_FALSE(error);

  std::set<std::string> names;
  for (const Format* format : builtin_formats()) {
    names.insert(std::string(format->name()));
  }

  CHECK(names == folders);
  CHECK(names.size() == builtin_formats().size());
}

TEST_CASE("format contract: names, titles and extensions are well-formed", "[contract]") {
  for (const Format* format : builtin_formats()) {
    INFO(format->name());
    CHECK(is_lower_word(format->name()));
    CHECK_FALSE(format->title().empty());
    CHECK_FALSE(format->extensions().empty());
    for (const std::string_view extension : format->extensions()) {
      INFO(extension);
      CHECK(is_lower_word(extension));
    }
  }
}

TEST_CASE("format contract: no two formats claim an extension", "[contract]") {
  std::set<std::string_view> seen;
  for (const Format* format : builtin_formats()) {
    for (const std::string_view extension : format->extensions()) {
      INFO(format->name() << " " << extension);
      CHECK(seen.insert(extension).second);
    }
  }
}

TEST_CASE("format contract: what can be signed can be verified", "[contract]") {
  for (const Format* format : builtin_formats()) {
    INFO(format->name());
    const FormatCapabilities can = format->capabilities();
    CHECK((can.verify || !can.sign));
    CHECK((can.sign || !can.append));
    CHECK((can.sign || !can.page_hashes));
    CHECK((can.verify || !can.detached));
  }
}

TEST_CASE("format contract: sniffing garbage never says yes", "[contract]") {
  for (const Format* format : builtin_formats()) {
    for (const Bytes& bytes : garbage()) {
      const ByteView head = ByteView(bytes).first(std::min<std::size_t>(bytes.size(), 4096));
      for (const std::string_view extension : {"", "exe", "zip"}) {
        INFO(format->name() << ", " << bytes.size() << " bytes");
        CHECK(format->sniff({head, head, extension}) != Sniff::yes);
      }
    }
  }
}

TEST_CASE("format contract: opening garbage is an error with words", "[contract]") {
  for (const Format* format : builtin_formats()) {
    for (const Bytes& bytes : garbage()) {
      const auto file = format->open(std::make_shared<MemorySource>(bytes));

      INFO(format->name() << ", " << bytes.size() << " bytes");
      REQUIRE_FALSE(file);
      CHECK((file.error().kind == ErrorKind::input || file.error().kind == ErrorKind::unsupported));
      CHECK_FALSE(file.error().message.empty());
      CHECK(file.error().message.back() != '.');
    }
  }
}
