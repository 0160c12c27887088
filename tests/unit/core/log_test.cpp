// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include "support/catch.hpp"

#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace signctl;

namespace {

/// What a process of its own writes to stderr: the log is set up once a process.
template <class Body>
std::string stderr_of(Body body) {
  int ends[2] = {};
  REQUIRE(::pipe(static_cast<int*>(ends)) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], static_cast<char*>(buffer), sizeof buffer)) > 0;) {
    out.append(static_cast<char*>(buffer), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return out;
}

void write_all_levels() {
  log_debug("d");
  log_verbose("v");
  log_info("i");
  log_warning("w");
}

}  // namespace

TEST_CASE("log: each level shows what it should", "[core]") {
  CHECK(stderr_of(write_all_levels) == "signctl: i\nsignctl: warning: w\n");
  CHECK(stderr_of([] {
          configure_log(LogLevel::quiet, LogFormat::text);
          write_all_levels();
        }) == "signctl: warning: w\n");
  CHECK(stderr_of([] {
          configure_log(LogLevel::verbose, LogFormat::text);
          write_all_levels();
        }) == "signctl: v\nsignctl: i\nsignctl: warning: w\n");
  CHECK(stderr_of([] {
          configure_log(LogLevel::debug, LogFormat::text);
          write_all_levels();
        }) == "signctl: debug: d\nsignctl: v\nsignctl: i\nsignctl: warning: w\n");
}

TEST_CASE("log: a message stays one line and cannot steer the terminal", "[core]") {
  CHECK(stderr_of([] { log_warning("a\nsignctl: error: b\x1b[2J {}"); }) ==
        "signctl: warning: a\\x0asignctl: error: b\\x1b[2J {}\n");
}

TEST_CASE("log: json lines carry time, level and message", "[core]") {
  const std::string out = stderr_of([] {
    configure_log(LogLevel::verbose, LogFormat::json);
    log_warning("say \"hi\" \\ \n");
    log_verbose("more");
  });

  CHECK_THAT(out,
             Catch::Matches("\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\",\"level\":"
                            "\"warning\",\"message\":\"say \\\\\"hi\\\\\" \\\\\\\\ "
                            "\\\\\\\\x0a\"\\}\n\\{.*\"level\":\"verbose\",.*\\}\n"));
}

TEST_CASE("log: lines of several threads do not mix", "[core]") {
  const std::string line(200, 'x');
  const std::string out = stderr_of([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          log_info(line);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  });

  std::string expected;
  for (int i = 0; i < 200; ++i) {
    expected += "signctl: " + line + "\n";
  }
  CHECK(out == expected);
}
