// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/node.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

namespace signctl::test {
namespace {

std::string refusal(const std::string& text) {
  const auto tree = config::read_yaml(text, "f");
  return tree ? "accepted" : tree.error().message;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

}  // namespace

TEST_CASE("config yaml: places are one-based", "[config]") {
  const auto tree = must(config::read_yaml("a:\n  - x\n  - {b: \"y\"}\n", "f"));

  const config::Node* list = tree.find("a");
  REQUIRE(list != nullptr);
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[0].line == 2);
  CHECK(list->items[0].column == 5);
  CHECK(list->items[0].quoting == config::Quoting::plain);
  const config::Node* inner = list->items[1].find("b");
  REQUIRE(inner != nullptr);
  CHECK(inner->line == 3);
  CHECK(inner->column == 9);
  CHECK(inner->quoting == config::Quoting::quoted);
}

TEST_CASE("config yaml: json has places too", "[config]") {
  const auto config = config::parse("{\n  \"version\": 1,\n  \"sing\": {}\n}\n", "signctl.json");

  REQUIRE_FALSE(config);
  CHECK(config.error().message == "signctl.json:3:3: unknown key \"sing\"");
}

TEST_CASE("config yaml: aliases that multiply are stopped", "[config]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before +
            repeated(", " + before, 9) + "]\n";
  }

  CHECK(refusal(bomb).find("the document has too many values") != std::string::npos);
}

TEST_CASE("config yaml: aliases of a long text are stopped", "[config]") {
  const std::string text =
      "a: &a " + std::string(500'000, 'x') + "\nb: [" + repeated("*a, ", 90'000) + "*a]\n";

  CHECK(refusal(text).find("the document has too many values") != std::string::npos);
}

TEST_CASE("config yaml: an alias inside its own anchor is refused", "[config]") {
  CHECK(refusal("a: &a [*a]\n") == "f:1:8: an alias may not stand inside what it refers to");
}

TEST_CASE("config yaml: an unknown alias is refused", "[config]") {
  CHECK(refusal("a: *b\n").find("f:1:") == 0);
}

TEST_CASE("config yaml: deep nesting is refused", "[config]") {
  CHECK(refusal(repeated("[", 64) + repeated("]", 64)) == "accepted");
  CHECK(refusal(repeated("[", 65) + repeated("]", 65)) ==
        "f:1:65: the document is nested too deeply");
  CHECK(refusal(std::string(500'000, '[')) != "accepted");
  CHECK(refusal(std::string(500'000, '{')) != "accepted");
  CHECK(refusal(repeated("- ", 100'000)) != "accepted");
  CHECK(refusal(repeated("? ", 100'000)) != "accepted");
}

TEST_CASE("config yaml: too many values are refused", "[config]") {
  CHECK(refusal("[" + repeated("x,", 99'999) + "]") == "accepted");
  CHECK(refusal("[" + repeated("x,", 100'000) + "]").find("too many values") != std::string::npos);
}

TEST_CASE("config yaml: only plain UTF-8 text is read", "[config]") {
  struct Case {
    std::string what;
    std::string text;
  };
  const auto bad = GENERATE(values<Case>({
      {"UTF-16 with a byte order mark",
       std::string("\xFF\xFE"
                   "v\0:\0",
                   6)},
      {"a NUL", std::string("v: a\0b", 6)},
      {"an escape sequence", "v: \x1B[31m"},
      {"DEL", "v: \x7F"},
      {"a stray continuation byte", "v: \x80"},
      {"an overlong slash", "v: \xC0\xAF"},
      {"an overlong three-byte form", "v: \xE0\x80\xAF"},
      {"a surrogate", "v: \xED\xA0\x80"},
      {"beyond Unicode", "v: \xF4\x90\x80\x80"},
      {"a cut sequence", "v: \xE2\x82"},
  }));
  INFO(bad.what);

  CHECK(refusal(bad.text).find("the file is not plain UTF-8 text") != std::string::npos);
}

TEST_CASE("config yaml: texts of every plane and Windows line ends are read", "[config]") {
  const auto tree =
      must(config::read_yaml("a: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\r\nb: c\r\n", "f"));

  CHECK(tree.find("a")->text == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91");
  CHECK(tree.find("b")->text == "c");
}

TEST_CASE("config yaml: a byte order mark before UTF-8 is skipped", "[config]") {
  CHECK(must(config::parse("\xEF\xBB\xBFversion: 1\n", "f")).folder.empty());
}

TEST_CASE("config yaml: a key that is no text is refused", "[config]") {
  CHECK(refusal("[a]: b").find("a key must be text") != std::string::npos);
  CHECK(refusal("~: b").find("a key must be text") != std::string::npos);
}

TEST_CASE("config yaml: messages about syntax do not quote the document", "[config]") {
  const auto text = GENERATE(values<std::string>({
      "password: \"hunter2\\q\"",
      "password: *hunter2",
      "password: !<hunter2",
      "password: 'hunter2",
      "password: \"\\xhunter2\"",
      "password: hunter2: hunter2",
      "%hunter2 hunter2\n---\npassword: \thunter2 {",
      "password: &hunter2 &hunter2 x",
      "[hunter2",
      "\thunter2: x",
      "password: @hunter2",
      "password: `hunter2",
  }));
  INFO(text);

  const auto config = config::parse("version: 1\n" + text, "f");

  REQUIRE_FALSE(config);
  CHECK(text_of(config.error()).find("hunter2") == std::string::npos);
}

TEST_CASE("config yaml: every prefix of a document is read or refused", "[config]") {
  const Bytes bytes = slurp(SIGNCTL_SOURCE_DIR "/tests/vectors/config/good/everything.yaml");
  const std::string whole(bytes.begin(), bytes.end());
  std::size_t refused = 0;

  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto config = config::parse(std::string_view(whole).substr(0, length), "f");
    refused += config ? 0U : 1U;
  }

  CHECK(refused > whole.size() / 2);
}

}  // namespace signctl::test
