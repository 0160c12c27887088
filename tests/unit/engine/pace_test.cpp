// SPDX-License-Identifier: Apache-2.0
#include "engine/pace.hpp"

#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"

using namespace std::chrono_literals;

namespace signctl::engine {

namespace {

using test::must;

const TimePoint kNow{std::chrono::seconds{1'795'435'200}};

struct Bench {
  test::FakeClock clock{kNow};
  Pace pace;

  explicit Bench(int ceiling, std::chrono::milliseconds deadline = 60s)
      : pace(clock, {6, 500ms, 30s, deadline}, ceiling, clock.steady_now() + deadline) {}

  void succeed(int times) {
    for (int i = 0; i < times; ++i) {
      must(pace.enter());
      pace.leave(Pace::Outcome::success);
    }
  }
};

Error busy(std::optional<std::chrono::milliseconds> retry_after = {}) {
  Error error{ErrorKind::network, "busy"};
  error.retry_after = retry_after;
  return error;
}

}  // namespace

TEST_CASE("pace: the window begins low and climbs to the ceiling, not beyond", "[engine]") {
  Bench bench(64);

  CHECK(bench.pace.window() == 32);
  bench.succeed(16);
  CHECK(bench.pace.window() == 48);
  bench.succeed(100);
  CHECK(bench.pace.window() == 64);
}

TEST_CASE("pace: a ceiling of one is one", "[engine]") {
  Bench bench(1);

  bench.succeed(5);

  CHECK(bench.pace.window() == 1);
  CHECK(bench.pace.peak() == 1);
}

TEST_CASE("pace: trouble of calls that were under way together halves the window once",
          "[engine]") {
  Bench bench(32);
  bench.succeed(24);
  REQUIRE(bench.pace.window() == 32);
  for (int i = 0; i < 8; ++i) {
    must(bench.pace.enter());
  }

  for (int i = 0; i < 8; ++i) {
    bench.pace.on_trouble(busy());
  }

  CHECK(bench.pace.window() == 16);
  bench.pace.on_trouble(busy());
  CHECK(bench.pace.window() == 8);
}

TEST_CASE("pace: after trouble it climbs by one for a whole window", "[engine]") {
  Bench bench(32);
  bench.succeed(24);
  must(bench.pace.enter());
  bench.pace.on_trouble(busy());
  bench.pace.leave(Pace::Outcome::failure);
  REQUIRE(bench.pace.window() == 16);

  bench.succeed(17);

  CHECK(bench.pace.window() == 17);
}

TEST_CASE("pace: Retry-After holds for calls that have not begun", "[engine]") {
  Bench bench(8);
  const TimePoint before = bench.clock.now();
  bench.pace.on_trouble(busy(7s));

  must(bench.pace.enter());

  CHECK(bench.clock.now() - before == 7s);
  bench.pace.leave(Pace::Outcome::success);
}

TEST_CASE("pace: nobody waits for a service that asks for more than the run may take", "[engine]") {
  Bench bench(8);
  const TimePoint before = bench.clock.now();
  bench.pace.on_trouble(busy(1h));

  const auto entered = bench.pace.enter();

  REQUIRE_FALSE(entered);
  CHECK(entered.error().kind == ErrorKind::network);
  CHECK(entered.error().message.find("busy") == 0);
  CHECK(bench.clock.now() == before);
}

TEST_CASE("pace: a broken signer is not waited for longer than it is broken", "[engine]") {
  Bench bench(8);
  bench.pace.on_trouble(busy(40s));
  bench.pace.break_off();

  CHECK_FALSE(bench.pace.enter());

  bench.clock.sleep_for(30s);
  must(bench.pace.enter());
  bench.pace.leave(Pace::Outcome::success);
}

TEST_CASE("pace: a broken signer gets single attempts until it succeeds", "[engine]") {
  Bench bench(8);
  CHECK(bench.pace.rules().attempts == 6);

  bench.pace.break_off();

  CHECK(bench.pace.broken());
  CHECK(bench.pace.rules().attempts == 1);
  bench.succeed(1);
  CHECK_FALSE(bench.pace.broken());
  bench.pace.break_off();
  bench.clock.sleep_for(31s);
  CHECK_FALSE(bench.pace.broken());
}

TEST_CASE("pace: the time of the run runs out", "[engine]") {
  Bench bench(8, 10s);
  CHECK(bench.pace.time_left() == 10s);
  bench.clock.sleep_for(11s);
  CHECK(bench.pace.time_left() == 0s);
}

}  // namespace signctl::engine
