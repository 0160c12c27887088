// SPDX-License-Identifier: Apache-2.0
#include "audit/build_facts.hpp"

#include "support/catch.hpp"
#include "support/fake_world.hpp"

#include <map>
#include <string>

namespace signctl::audit {

namespace {

std::string jenkins(const std::string& job, const std::string& number = "7") {
  std::string tag = "jenkins-" + job + "-" + number;
  return build_sha256(test::FakeEnvironment(
      {{"JOB_NAME", job}, {"BUILD_NUMBER", number}, {"BUILD_TAG", tag}, {"GIT_COMMIT", "c0ffee"}}));
}

}  // namespace

TEST_CASE("build facts: the cells of a Jenkins matrix are one build", "[audit]") {
  const std::string first = jenkins("studio/release/ARCH=x64,OS=linux");

  CHECK(jenkins("studio/release/ARCH=arm64,OS=linux") == first);
  CHECK(jenkins("studio/release/ARCH=x64,OS=linux/arm") == first);
  CHECK(jenkins("studio/release") == first);
  CHECK(jenkins("studio/nightly/ARCH=x64,OS=linux") != first);
  CHECK(jenkins("studio/release/ARCH=x64,OS=linux", "8") != first);
  CHECK(jenkins("a=b") != jenkins("a=c"));
}

TEST_CASE("build facts: a cell's own name is still written down", "[audit]") {
  const test::FakeEnvironment environment(
      std::map<std::string, std::string>{{"JOB_NAME", "release/OS=linux"}});

  const auto facts = build_facts(environment);

  REQUIRE(facts.size() == 1);
  CHECK(facts.front().second == "release/OS=linux");
}

}  // namespace signctl::audit
