// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"
#include "config/config.hpp"
#include "core/text.hpp"
#include "schema_check.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <filesystem>
#include <regex>

namespace signctl::test {
namespace {

std::string text_of_file(const std::string& path) {
  const Bytes bytes = slurp(path);
  return {bytes.begin(), bytes.end()};
}

bool matches(std::string_view pattern, const std::string& text) {
  return std::regex_search(text, std::regex(std::string(pattern)));
}

}  // namespace

TEST_CASE("config schema: is a JSON Schema that closes every section", "[config]") {
  const auto schema = nlohmann::json::parse(config::json_schema());

  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == nlohmann::json::array({"version"}));
  for (const char* section : {"sign", "gate"}) {
    CHECK(schema["properties"][section]["additionalProperties"] == false);
  }
  CHECK(schema["properties"]["steps"]["items"]["additionalProperties"] == false);
  CHECK(schema["properties"]["sign"]["properties"]["digest"]["enum"] ==
        nlohmann::json::array({"sha256", "sha384", "sha512"}));
  CHECK(schema["properties"]["sign"]["properties"]["jobs"]["default"] == 8);
  CHECK(schema["properties"]["gate"]["properties"]["trust"]["default"] ==
        nlohmann::json::array({"system"}));
}

TEST_CASE("config schema: the defaults it states are valid", "[config]") {
  const auto schema = nlohmann::json::parse(config::json_schema());

  for (const char* section : {"sign", "gate"}) {
    for (const auto& [key, rule] : schema["properties"][section]["properties"].items()) {
      INFO(section << "." << key);
      if (rule.contains("default")) {
        CHECK(schema_violation(rule, rule["default"]) == "");
      }
    }
  }
}

TEST_CASE("config schema: its patterns say what the reader checks", "[config]") {
  const auto text = GENERATE(values<std::string>(
      {"",           "env:",        "env:A",       "file:",        "file:a b",  "exec:x",
       "stdin",      "stdin2",      "system",      "signer",       "xsystem",   "systemx",
       "http://",    "http://a",    "https://a/b", "https://a b",  "ftp://a",   "http://u@h/",
       "http://h/@", "http://h?@",  "http:///x",   "http://h#f g", "http://?x", "dev:",
       "dev:a b",    "dev",         "1.2",         "1.2.3.",       "3.2.1",     "1",
       "1..2",       ".1.2",        "2.999.1",     "a.b",          "a",         "_a-b.c",
       "-a",         "a b",         ".a",          "0ms",          "15m",       "2h",
       "5",          "5 s",         "-5s",         "5d",           "1000000s",  "s",
       "1.5s",       "env:A\u00e9", "0a"}));
  INFO('"' << text << '"');

  CHECK(matches(config::kSecretPattern, text) == config::is_secret_reference(text));
  CHECK(matches(config::kSecretPattern, text) == SecretRef::parse(text).has_value());
  CHECK(matches(config::kTrustPattern, text) == config::is_trust(text));
  CHECK(matches(config::kUrlPattern, text) == config::is_server(text));
  CHECK(matches(config::kOidPattern, text) == config::is_dotted_oid(text));
  CHECK(matches(config::kSignerNamePattern, text) == config::is_signer_name(text));
  CHECK(matches(config::kDurationPattern, text) == parse_duration(text).has_value());
}

TEST_CASE("config schema: its thumbprint pattern says what the reader checks", "[config]") {
  const std::string plain(64, 'a');
  std::string colons;
  for (int i = 0; i < 32; ++i) {
    colons += i == 0 ? "0F" : ":0F";
  }
  const auto text = GENERATE_COPY(values<std::string>({plain,
                                                       colons,
                                                       plain + "a",
                                                       plain + "aa",
                                                       plain + ":",
                                                       colons + ":",
                                                       ":" + colons,
                                                       plain.substr(1),
                                                       plain.substr(2),
                                                       colons.substr(3),
                                                       "g" + plain.substr(1),
                                                       "a:" + plain.substr(1),
                                                       ""}));
  INFO(text);

  CHECK(matches(config::kThumbprintPattern, text) == config::is_thumbprint(text));
}

TEST_CASE("config starter: parses, agrees with the schema and names the signer", "[config]") {
  const auto schema = nlohmann::json::parse(config::json_schema());
  for (const Provider* provider : builtin_providers()) {
    const std::string text = config::starter_yaml(provider->name());
    INFO(text);

    const auto config = must(config::parse(text, "signctl.yaml"));

    REQUIRE(config.signers.size() == 1);
    CHECK(config.signers.begin()->second.provider == provider->name());
    CHECK(config.sign.signer == std::vector<std::string>{config.signers.begin()->first});
    CHECK(config.steps.size() == 1);
    CHECK_FALSE(config.sign.timestamp_servers.empty());
    CHECK(schema_violation(schema, to_json(must(config::read_yaml(text, "f")))) == "");
  }
}

TEST_CASE("config starter: what it has commented out is valid as well", "[config]") {
  for (const Provider* provider : builtin_providers()) {
    // "  # key: value" becomes "  key: value"; sentences have no "word: " at their start.
    const std::string text = std::regex_replace(config::starter_yaml(provider->name()),
                                                std::regex("(^|\n)( +)# ([A-Za-z_-]+:( |\n))"),
                                                "$1$2$3");
    INFO(text);

    const auto config = config::parse(text, "signctl.yaml");

    if (!config) {
      FAIL_CHECK(text_of(config.error()));
    }
    CHECK(text.find("\n  description: ") != std::string::npos);
  }
}

TEST_CASE("config starter: there is none for a provider that is not in the build", "[config]") {
  CHECK(config::starter_yaml("nonsense").empty());
}

TEST_CASE("config docs: docs/config.md holds the generated reference", "[config]") {
  const std::string page = text_of_file(SIGNCTL_SOURCE_DIR "/docs/config.md");
  const std::string begin = "<!-- generated: signctl config reference -->\n";
  const std::string end = "<!-- end generated -->";
  const auto from = page.find(begin);
  const auto to = page.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);

  // SIGNCTL_UPDATE=1 writes it, as tests/cli/golden.py --update does for the rest.
  if (std::getenv("SIGNCTL_UPDATE") != nullptr) {  // NOLINT(concurrency-mt-unsafe): one thread
    const std::string whole =
        page.substr(0, from + begin.size()) + config::reference_markdown() + page.substr(to);
    spill(SIGNCTL_SOURCE_DIR "/docs/config.md", as_bytes(whole));
    return;
  }
  const std::string block = page.substr(from + begin.size(), to - from - begin.size());

  CHECK(block == config::reference_markdown());
}

TEST_CASE("config docs: each example and each snippet in the documentation parses", "[config]") {
  const auto schema = nlohmann::json::parse(config::json_schema());
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SIGNCTL_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    INFO(entry.path());
    ++found;
    const std::string text = text_of_file(entry.path().string());

    const auto config = config::parse(text, "signctl.yaml");

    if (!config) {
      FAIL_CHECK(text_of(config.error()));
    }
    CHECK(schema_violation(schema, to_json(must(config::read_yaml(text, "f")))) == "");
  }
  CHECK(found >= 2);

  std::vector<std::string> pages{SIGNCTL_SOURCE_DIR "/docs/config.md",
                                 SIGNCTL_SOURCE_DIR "/README.md"};
  for (const auto& entry :
       std::filesystem::directory_iterator(SIGNCTL_SOURCE_DIR "/docs/providers")) {
    pages.push_back(entry.path().string());
  }
  for (const std::string& page : pages) {
    const std::string text = text_of_file(page);
    const std::string fence = "```yaml\n";
    for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
      const auto start = at + fence.size();
      const std::string snippet = text.substr(start, text.find("```", start) - start);
      INFO(page << "\n" << snippet);
      const bool whole = snippet.starts_with("version:");
      if (snippet.starts_with("permissions:") || snippet.starts_with("- ")) {
        continue;  // A pipeline's step, not a config.
      }

      const auto config = config::parse(whole ? snippet : "version: 1\n" + snippet, "signctl.yaml");

      if (!config) {
        FAIL_CHECK(text_of(config.error()));
      }
    }
  }
}

}  // namespace signctl::test
