// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>

using namespace signctl;

namespace {

constexpr std::array kAllKinds{ErrorKind::gate,
                               ErrorKind::usage,
                               ErrorKind::config,
                               ErrorKind::input,
                               ErrorKind::unsupported,
                               ErrorKind::auth,
                               ErrorKind::provider,
                               ErrorKind::timestamp,
                               ErrorKind::network,
                               ErrorKind::guard,
                               ErrorKind::output,
                               ErrorKind::internal,
                               ErrorKind::interrupted};

}  // namespace

TEST_CASE("exit codes: kinds and table rows pair up one to one", "[core]") {
  std::set<int> used;
  for (const ErrorKind kind : kAllKinds) {
    const int code = exit_code(kind);
    const auto rows = exit_codes();
    const auto row = std::find_if(
        rows.begin(), rows.end(), [code](const ExitCode& r) { return r.code == code; });
    INFO("code " << code);
    REQUIRE(row != rows.end());
    CHECK(used.insert(code).second);
    CHECK(row->kind == kind_name(kind));
    CHECK_FALSE(row->kind.empty());
    CHECK_FALSE(row->meaning.empty());
  }
  // And the row of success, which no kind has.
  CHECK(exit_codes().size() == used.size() + 1);
  CHECK(used.count(0) == 0);
}

TEST_CASE("exit codes: the table is in numeric order and begins with success", "[core]") {
  const auto rows = exit_codes();

  CHECK(rows.front().code == 0);
  CHECK(rows.front().kind.empty());
  CHECK(std::is_sorted(rows.begin(), rows.end(), [](const ExitCode& a, const ExitCode& b) {
    return a.code < b.code;
  }));
}

TEST_CASE("exit codes: the published numbers do not change", "[core]") {
  CHECK(exit_code(ErrorKind::gate) == 1);
  CHECK(exit_code(ErrorKind::usage) == 2);
  CHECK(exit_code(ErrorKind::config) == 3);
  CHECK(exit_code(ErrorKind::input) == 4);
  CHECK(exit_code(ErrorKind::unsupported) == 5);
  CHECK(exit_code(ErrorKind::auth) == 6);
  CHECK(exit_code(ErrorKind::provider) == 7);
  CHECK(exit_code(ErrorKind::timestamp) == 8);
  CHECK(exit_code(ErrorKind::network) == 9);
  CHECK(exit_code(ErrorKind::guard) == 10);
  CHECK(exit_code(ErrorKind::output) == 11);
  CHECK(exit_code(ErrorKind::internal) == 70);
  CHECK(exit_code(ErrorKind::interrupted) == 130);
}

TEST_CASE("errors: only network failures are worth trying again", "[core]") {
  for (const ErrorKind kind : kAllKinds) {
    INFO(kind_name(kind));
    CHECK(is_transient(kind) == (kind == ErrorKind::network));
  }
}
