// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "config/node.hpp"
#include "core/text.hpp"
#include "schema_check.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace signctl::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> vectors(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(std::string(SIGNCTL_SOURCE_DIR "/tests/vectors/config/") + folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_of_file(const fs::path& path) {
  const Bytes bytes = slurp(path.string());
  return {bytes.begin(), bytes.end()};
}

/// The rest of the line "# NAME: ..." among the comments at the top, or `fallback`.
std::string comment(const std::string& text, const std::string& name, std::string fallback) {
  std::istringstream lines(text);
  const std::string start = "# " + name + ": ";
  for (std::string line; std::getline(lines, line) && line.starts_with("#");) {
    if (line.starts_with(start)) {
      return line.substr(start.size());
    }
  }
  return fallback;
}

std::string violation_of(const std::string& text) {
  static const nlohmann::json schema = nlohmann::json::parse(config::json_schema());
  return schema_violation(schema, to_json(must(config::read_yaml(text, "vector.yaml"))));
}

}  // namespace

TEST_CASE("config corpus: good documents are accepted by the reader and the schema", "[config]") {
  const auto files = vectors("good");
  REQUIRE(files.size() >= 7);

  for (const fs::path& file : files) {
    INFO(file.filename());
    const std::string text = text_of_file(file);

    const auto config = config::parse(text, "vector.yaml");

    if (!config) {
      FAIL_CHECK(text_of(config.error()));
    }
    CHECK(violation_of(text) == "");
  }
}

TEST_CASE("config corpus: bad documents are refused with the place and the reason", "[config]") {
  const auto files = vectors("bad");
  REQUIRE(files.size() >= 60);

  for (const fs::path& file : files) {
    INFO(file.filename());
    const std::string text = text_of_file(file);

    const auto config = config::parse(text, "vector.yaml");

    if (config) {
      FAIL_CHECK("was accepted");
      continue;
    }
    CHECK(config.error().message == "vector.yaml:" + comment(text, "expect", "nothing expected"));
    CHECK(kind_name(config.error().kind) == comment(text, "kind", "config"));
    if (const auto hint = comment(text, "hint", "?"); hint != "?") {
      CHECK(config.error().hint == hint);
    }
  }
}

TEST_CASE("config corpus: the schema refuses what the reader refuses", "[config]") {
  for (const fs::path& file : vectors("bad")) {
    INFO(file.filename());
    const std::string text = text_of_file(file);
    const std::string schema = comment(text, "schema", "refuses");
    if (schema == "accepts") {
      // A duplicate key cannot be shown to a validator at all; the others it cannot express.
      const auto tree = config::read_yaml(text, "vector.yaml");
      if (tree) {
        CHECK(violation_of(text) == "");
      }
    } else if (schema == "refuses") {
      CHECK(violation_of(text) != "");
    } else {
      CHECK(schema == "none");
    }
  }
}

TEST_CASE("config corpus: no message repeats a literal secret", "[config]") {
  for (const fs::path& file : vectors("bad")) {
    INFO(file.filename());
    const auto config = config::parse(text_of_file(file), "vector.yaml");

    REQUIRE_FALSE(config);
    const std::string said = text_of(config.error());
    CHECK(said.find("hunter2") == std::string::npos);
    CHECK(said.find("123456") == std::string::npos);
    CHECK(said.find("01ab23cd") == std::string::npos);
  }
}

}  // namespace signctl::test
