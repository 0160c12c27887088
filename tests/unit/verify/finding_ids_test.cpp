// SPDX-License-Identifier: Apache-2.0
// docs/verification.md promises to list every finding id. This holds it to that, both ways, and to
// what policy tolerates.
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>

using namespace signctl;

namespace {

const std::string kSource = SIGNCTL_SOURCE_DIR;

std::string text_at(const std::string& path) {
  const Bytes bytes = test::slurp(path);
  return {bytes.begin(), bytes.end()};
}

/// Documented ids, and the row's last column.
std::map<std::string, std::string> documented() {
  const std::string text = text_at(kSource + "/docs/verification.md");
  static const std::regex row(R"(\n\| `([a-z0-9-]+)` \|[^\n]*\| ([^|\n]*) \|(?=\n))");
  std::map<std::string, std::string> ids;
  for (std::sregex_iterator it(text.begin(), text.end(), row), end; it != end; ++it) {
    ids[(*it)[1]] = (*it)[2];
  }
  return ids;
}

/// All sources that make findings.
std::string sources() {
  std::string all;
  for (const char* folder :
       {"verify", "trust", "cms", "formats", "policy", "engine", "crypto", "audit"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(kSource + "/src/" + folder)) {
      if (entry.path().extension() == ".cpp") {
        all += text_at(entry.path().string());
      }
    }
  }
  return all;
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

/// Ids that sources name: every literal with a hyphen, and single words where a finding begins.
std::set<std::string> named_in_sources(const std::string& text) {
  std::set<std::string> ids = matches(text, std::regex(R"re("([a-z0-9]+(?:-[a-z0-9]+)+)")re"));
  ids.merge(matches(text, std::regex(R"re("([a-z]+)",\s*Severity::)re")));
  ids.merge(matches(text, std::regex(R"re(finding\(\s*"([a-z]+)",)re")));
  for (const char* other : {"x86-64",
                            "rsa-sha256",
                            "strong-name",
                            "not-started",
                            "log-merged",
                            "run-started",
                            "run-ended"}) {
    ids.erase(other);  // Names of a machine, an algorithm, a facet, a state and events.
  }
  return ids;
}

}  // namespace

TEST_CASE("docs/verification.md lists every finding id that the sources name", "[unit][verify]") {
  const auto ids = documented();
  const auto named = named_in_sources(sources());
  REQUIRE(named.size() > 50);
  for (const std::string& id : named) {
    INFO("not in docs/verification.md: " << id);
    CHECK(ids.count(id) == 1);
  }
}

TEST_CASE("docs/verification.md lists no finding id that does not exist", "[unit][verify]") {
  const std::string text = sources();
  for (const auto& [id, windows] : documented()) {
    INFO("only in docs/verification.md: " << id);
    CHECK(text.find("\"" + id + "\"") != std::string::npos);
  }
}

TEST_CASE("docs/verification.md says of each id what the compat profile makes of it",
          "[unit][verify]") {
  const auto tolerated = matches(text_at(kSource + "/src/policy/tolerances.cpp"),
                                 std::regex(R"re(Tolerance\{"([a-z0-9-]+)")re"));
  REQUIRE(tolerated.size() > 10);
  for (const auto& [id, windows] : documented()) {
    // Nested signatures are passed over as a whole, not by id.
    const bool warned = windows.rfind("warning", 0) == 0 && id != "nested-depth";
    INFO(id << ": \"" << windows << "\"");
    CHECK(warned == (tolerated.count(id) == 1));
  }
}
