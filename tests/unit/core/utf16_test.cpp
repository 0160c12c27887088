// SPDX-License-Identifier: Apache-2.0
#include "core/utf16.hpp"

#include "core/text.hpp"
#include "support/catch.hpp"

#include <optional>
#include <string>
#include <string_view>

using namespace signctl;
using namespace std::string_view_literals;

namespace {

std::optional<std::string> ascii_of(std::string_view text) {
  return ascii_of_utf16(as_bytes(text));
}

}  // namespace

TEST_CASE("UTF-16: read by its byte order mark", "[core]") {
  CHECK(ascii_of("\xFF\xFE\x61\0\x62\0"sv) == "ab");
  CHECK(ascii_of("\xFE\xFF\0\x61\0\x62"sv) == "ab");
  CHECK(ascii_of("\xFF\xFE"sv) == "");
  CHECK(ascii_of("\xFF\xFE\xFC\0\x61\x01z\0"sv) == "??z");
  CHECK(ascii_of("\xFF\xFE\x61\0\x62"sv) == "a");
}

TEST_CASE("UTF-16: nothing without a byte order mark", "[core]") {
  for (const std::string_view other : {""sv, "\xFF"sv, "text"sv, "\xEF\xBB\xBFtext"sv}) {
    CHECK(ascii_of(other) == std::nullopt);
  }
}
