// SPDX-License-Identifier: Apache-2.0
// What one timestamp teaches the pool about its servers, for the next.
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "timestamp/authority.hpp"
#include "timestamp/client.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace signctl::timestamp {

namespace {

using test::must;

/// Servers that answer truthfully, slowly, wrongly or not at all.
class Servers final : public HttpClient {
 public:
  struct Manner {
    std::chrono::milliseconds latency{10};
    int status{200};
    bool lies{false};
    int refuse_every{0};
  };

  explicit Servers(test::FakeClock& clock)
      : clock_(clock), authority_(must(Authority::create(clock.now()))) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const Manner& manner = manners[request.url];
    const int number = ++asked[request.url];
    longest_timeout = std::max(longest_timeout, request.timeout);
    if (manner.latency > 0ms) {
      clock_.sleep_for(manner.latency);
    }
    HttpResponse response;
    response.status = manner.status;
    if (manner.refuse_every > 0 && number % manner.refuse_every == 0) {
      response.status = 503;
    }
    response.headers["content-type"] = "application/timestamp-reply";
    response.body = must(authority_.respond(request.body, clock_.now()));
    if (manner.lies) {
      response.body.back() ^= 1U;
    }
    return response;
  }

  std::map<std::string, Manner> manners;
  std::map<std::string, int> asked;
  std::chrono::milliseconds longest_timeout{0};

 private:
  test::FakeClock& clock_;
  Authority authority_;
};

struct Bench {
  test::FakeClock clock{TimePoint{std::chrono::seconds{1'795'435'200}}};
  test::FakeEnvironment environment;
  Servers servers{clock};

  std::unique_ptr<Timestamper> pool(Options options) {
    return must(make_timestamper(std::move(options), World{clock, environment, servers}));
  }
  static Result<Stamp> stamp(Timestamper& pool) {
    return pool.stamp({Bytes(64, 7), DigestAlg::sha256, ""});
  }
};

Options servers(std::vector<std::string> urls) {
  Options options;
  options.servers = std::move(urls);
  return options;
}

const std::string kA = "http://a.example/";
const std::string kB = "http://b.example/";

}  // namespace

TEST_CASE("timestamp pool: one that answers twice as fast overtakes", "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].latency = 2s;
  const auto pool = bench.pool(servers({kA, kB}));

  for (int i = 0; i < 5; ++i) {
    must(Bench::stamp(*pool));
  }

  CHECK(bench.servers.asked[kA] == 1);
  CHECK(bench.servers.asked[kB] == 4);
}

TEST_CASE("timestamp pool: of two that are much alike the first is asked", "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].latency = 60ms;
  bench.servers.manners[kB].latency = 40ms;
  const auto pool = bench.pool(servers({kA, kB}));

  for (int i = 0; i < 5; ++i) {
    must(Bench::stamp(*pool));
  }

  CHECK(bench.servers.asked[kA] == 5);
}

TEST_CASE("timestamp pool: a server in trouble is left alone by those who come after",
          "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].status = 503;
  const auto pool = bench.pool(servers({kA, kB}));

  for (int i = 0; i < 10; ++i) {
    must(Bench::stamp(*pool));
  }

  CHECK(bench.servers.asked[kA] == 1);
  CHECK(bench.servers.asked[kB] == 10);
}

TEST_CASE("timestamp pool: a server that lied is not asked again while others are there",
          "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].lies = true;
  const auto pool = bench.pool(servers({kA, kB}));

  for (int i = 0; i < 10; ++i) {
    CHECK(must(Bench::stamp(*pool)).source == kB);
  }

  CHECK(bench.servers.asked[kA] == 1);
}

TEST_CASE("timestamp pool: a refusal of every third call costs no more than the call",
          "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA] = {50ms, 200, false, 3};
  const auto pool = bench.pool(servers({kA}));
  const auto began = bench.clock.steady_now();

  for (int i = 0; i < 100; ++i) {
    must(Bench::stamp(*pool));
  }

  CHECK(bench.servers.asked[kA] == 149);
  CHECK(bench.clock.steady_now() - began == 149 * 50ms);
}

TEST_CASE("timestamp pool: one refusal makes nobody wait for a server that is well",
          "[timestamp]") {
  Bench bench;
  const auto pool = bench.pool(servers({kA}));
  must(Bench::stamp(*pool));
  bench.servers.manners[kA].status = 503;
  const auto began = bench.clock.steady_now();
  std::future<Result<Stamp>> other;
  bench.clock.meanwhile = [&] {
    // Under way is the second attempt of the one that was refused.
    if (bench.servers.asked[kA] == 3 && !other.valid()) {
      bench.servers.manners[kA].status = 200;
      other = std::async(std::launch::async, [&] { return Bench::stamp(*pool); });
      CHECK(other.wait_for(20s) == std::future_status::ready);
    }
  };

  must(Bench::stamp(*pool));

  REQUIRE(other.valid());
  must(other.get());
  CHECK(bench.clock.steady_now() - began == 3 * 10ms);
}

TEST_CASE("timestamp pool: a server that stops answering is backed off from", "[timestamp]") {
  Bench bench;
  const auto pool = bench.pool(servers({kA}));
  must(Bench::stamp(*pool));
  bench.servers.manners[kA].status = 503;
  std::vector<std::chrono::steady_clock::time_point> asleep;
  bench.clock.meanwhile = [&] { asleep.push_back(bench.clock.steady_now()); };

  CHECK_FALSE(Bench::stamp(*pool));
  CHECK_FALSE(pool->ready());

  // Six times in trouble, and what came before the first good answer could have.
  CHECK(bench.servers.asked[kA] <= 1 + 6 + 2);
  CHECK(asleep.back() - asleep.front() > 100ms);
}

TEST_CASE("timestamp pool: refused again and again while others are served is no reason to give up",
          "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA] = {0ms, 503};
  const auto pool = bench.pool(servers({kA}));
  auto& manner = bench.servers.manners[kA];
  int served = 0;
  bench.clock.meanwhile = [&] {
    if (manner.status == 503) {
      manner.status = 200;
      must(Bench::stamp(*pool));
      manner.status = ++served < 20 ? 503 : 200;
    }
  };

  SECTION("for 20 refusals") {
    must(Bench::stamp(*pool));
    CHECK(served == 20);
  }
  SECTION("but not for ever") {
    served = -1000;
    CHECK_FALSE(Bench::stamp(*pool));
    CHECK(bench.servers.asked[kA] < 100);
  }
}

TEST_CASE("timestamp pool: each server has its bucket", "[timestamp]") {
  Bench bench;
  Options options = servers({kA, kB});
  options.pacing = {15s, 2};
  const auto pool = bench.pool(options);
  const auto began = bench.clock.steady_now();

  for (int i = 0; i < 8; ++i) {
    must(Bench::stamp(*pool));
  }

  CHECK(bench.servers.asked[kA] == 4);
  CHECK(bench.servers.asked[kB] == 4);
  const auto took = bench.clock.steady_now() - began;
  CHECK(took >= 29s);
  CHECK(took <= 31s);
}

TEST_CASE("timestamp pool: nobody is to pay for a signature while no server is well",
          "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].status = 503;
  bench.servers.manners[kB].lies = true;
  Options options = servers({kA, kB});
  options.retry = {3, 10ms, 20ms, 60s};
  const auto pool = bench.pool(options);
  must(pool->ready());
  REQUIRE_FALSE(Bench::stamp(*pool));

  const auto ready = pool->ready();

  REQUIRE_FALSE(ready);
  CHECK(ready.error().kind == ErrorKind::timestamp);
  CHECK(ready.error().message.find("http://a.example/, when last asked: HTTP status 503") !=
        std::string::npos);
  SECTION("after a while one finds out whether that has passed") {
    bench.clock.sleep_for(31s);
    must(pool->ready());
    CHECK_FALSE(pool->ready());
  }
  SECTION("one server that answers is enough") {
    bench.servers.manners[kB].lies = false;
    must(Bench::stamp(*pool));
    must(pool->ready());
  }
}

TEST_CASE("timestamp pool: one refusal of a server that has answered holds up nobody",
          "[timestamp]") {
  Bench bench;
  const auto pool = bench.pool(servers({kA}));
  must(Bench::stamp(*pool));
  bench.servers.manners[kA].status = 503;
  int looked = 0;
  bench.clock.meanwhile = [&] {
    // Asleep after the refusal, or in the next attempt if the pause was none.
    if (bench.servers.asked[kA] >= 2 && looked++ > 0) {
      must(pool->ready());
      bench.servers.manners[kA].status = 200;
    }
  };

  must(Bench::stamp(*pool));

  CHECK(looked > 1);
}

TEST_CASE("timestamp pool: an interval that is longer than the run is not blamed on the servers",
          "[timestamp]") {
  Bench bench;
  Options options = servers({kA});
  options.pacing = {60s, 1};
  options.retry.deadline = 5s;
  const auto pool = bench.pool(options);
  must(Bench::stamp(*pool));

  const auto stamp = Bench::stamp(*pool);

  REQUIRE_FALSE(stamp);
  CHECK(stamp.error().message.find("sign.timestamp.interval") != std::string::npos);
}

TEST_CASE("timestamp pool: when the run's time is over a healthy server is asked all the same",
          "[timestamp]") {
  Bench bench;
  Options options = servers({kA});
  options.retry.deadline = 2s;
  const auto pool = bench.pool(options);
  bench.clock.sleep_for(3s);

  must(Bench::stamp(*pool));

  bench.servers.manners[kA].status = 503;
  const auto begun = bench.clock.steady_now();
  CHECK_FALSE(Bench::stamp(*pool));
  CHECK(bench.clock.steady_now() - begun <= 30s);
}

TEST_CASE("timestamp pool: a lone server is not waited for without an end", "[timestamp]") {
  Bench bench;
  const auto pool = bench.pool(servers({kA}));

  must(Bench::stamp(*pool));

  CHECK(bench.servers.longest_timeout <= 30s);
}

TEST_CASE("timestamp pool: when all are down the error names each", "[timestamp]") {
  Bench bench;
  bench.servers.manners[kA].status = 503;
  bench.servers.manners[kB].status = 500;
  Options options = servers({kA, kB});
  options.retry = {3, 10ms, 20ms, 60s};
  const auto pool = bench.pool(options);

  const auto stamp = Bench::stamp(*pool);

  REQUIRE_FALSE(stamp);
  CHECK(stamp.error().kind == ErrorKind::timestamp);
  CHECK(stamp.error().message.find("http://a.example/: HTTP status 503") != std::string::npos);
  CHECK(stamp.error().message.find("http://b.example/: HTTP status 500") != std::string::npos);
  CHECK(bench.servers.asked[kA] == 3);
  CHECK(bench.servers.asked[kB] == 3);
}

}  // namespace signctl::timestamp
