// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"

#include "support/catch.hpp"

using namespace signctl;

TEST_CASE("paths: every name survives the way there and back", "[core]") {
  // The last is a name that a POSIX folder can hold although it is not UTF-8.
  for (const std::string name : {"", "a b/c.exe", "Grüße/日本語", "/", "../x", "bad\xff\xfe"}) {
    CHECK(to_utf8(to_path(name)) == name);
  }
}
