// SPDX-License-Identifier: Apache-2.0
#include "timestamp/client.hpp"

#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "timestamp/authority.hpp"
#include "timestamp/exchange.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace signctl::timestamp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::must;

/// Answers every request by a function and keeps what was asked.
class ScriptedHttp final : public HttpClient {
 public:
  using Script = std::function<Result<HttpResponse>(const HttpRequest&)>;

  explicit ScriptedHttp(Script script) : script_(std::move(script)) {}
  Result<HttpResponse> send(const HttpRequest& request) override {
    urls.push_back(request.url);
    return script_(request);
  }

  std::vector<std::string> urls;

 private:
  Script script_;
};

struct Bench {
  test::FakeClock clock{TimePoint{seconds{1'795'435'200}}};
  test::FakeEnvironment environment;
  Authority authority = must(Authority::create(clock.now()));

  HttpResponse answer(const HttpRequest& request, seconds shift = seconds(0)) const {
    HttpResponse response;
    response.status = 200;
    response.headers["content-type"] = "Application/Timestamp-Reply; charset=binary";
    response.body = must(authority.respond(request.body, clock.now() + shift));
    return response;
  }

  Result<Stamp> stamp(ScriptedHttp& http, Options options) {
    SIGNCTL_TRY(
        auto made, make_timestamper(std::move(options), World{clock, environment, http}), "");
    return made->stamp({Bytes(64, 7), DigestAlg::sha256, ""});
  }
};

HttpResponse status(int code) {
  HttpResponse response;
  response.status = code;
  return response;
}

Options servers(std::vector<std::string> urls) {
  Options options;
  options.servers = std::move(urls);
  return options;
}

TEST_CASE("timestamp client: an honest answer is taken at the first attempt", "[timestamp]") {
  Bench bench;
  ScriptedHttp http([&](const HttpRequest& request) { return bench.answer(request); });

  const Stamp stamp = must(bench.stamp(http, servers({"http://tsa.example/"})));

  CHECK(stamp.attempts == 1);
  CHECK(stamp.source == "http://tsa.example/");
  CHECK_FALSE(stamp.token.empty());
}

TEST_CASE("timestamp client: the next server is asked at once", "[timestamp]") {
  Bench bench;
  const TimePoint before = bench.clock.now();
  ScriptedHttp http([&](const HttpRequest& request) {
    return request.url == "http://a.example/" ? status(503) : bench.answer(request);
  });

  const Stamp stamp = must(bench.stamp(http, servers({"http://a.example/", "http://b.example/"})));

  CHECK(stamp.source == "http://b.example/");
  CHECK(stamp.attempts == 2);
  CHECK(bench.clock.now() == before);
}

TEST_CASE("timestamp client: Retry-After is honoured before the next round", "[timestamp]") {
  Bench bench;
  const TimePoint before = bench.clock.now();
  int asked = 0;
  ScriptedHttp http([&](const HttpRequest& request) {
    HttpResponse busy = status(429);
    busy.headers["retry-after"] = "17";
    return ++asked == 1 ? busy : bench.answer(request);
  });

  must(bench.stamp(http, servers({"http://a.example/"})));

  CHECK(bench.clock.now() - before == seconds(17));
}

TEST_CASE("timestamp client: the deadline ends the attempts", "[timestamp]") {
  Bench bench;
  const TimePoint before = bench.clock.now();
  ScriptedHttp http([&](const HttpRequest&) { return status(500); });
  Options options = servers({"http://a.example/"});
  options.retry.attempts = 1000;
  options.retry.deadline = seconds(60);

  const auto stamp = bench.stamp(http, options);

  REQUIRE_FALSE(stamp);
  CHECK(stamp.error().kind == ErrorKind::timestamp);
  CHECK(bench.clock.now() - before <= seconds(60));
  CHECK(http.urls.size() < 1000);
  INFO(test::text_of(stamp.error()));
  CHECK(stamp.error().message.find("http://a.example/: HTTP status 500") != std::string::npos);
  CHECK(stamp.error().message.find("attempt ") != std::string::npos);
}

TEST_CASE("timestamp client: a wrong answer is refused, says why and is not asked for again",
          "[timestamp]") {
  Bench bench;
  Bytes old_request;
  const std::map<std::string, std::pair<ScriptedHttp::Script, std::string>> lies{
      {"web page",
       {[](const HttpRequest&) {
          HttpResponse page = status(200);
          page.headers["content-type"] = "text/html; charset=utf-8";
          return page;
        },
        "web page"}},
      {"garbage",
       {[&](const HttpRequest& request) {
          HttpResponse response = bench.answer(request);
          response.body = Bytes(100, 0x30);
          return response;
        },
        "not a timestamp response"}},
      {"future",
       {[&](const HttpRequest& request) { return bench.answer(request, seconds(301)); },
        "this machine's clock"}},
      {"past",
       {[&](const HttpRequest& request) { return bench.answer(request, seconds(-301)); },
        "this machine's clock"}},
      {"redirect", {[](const HttpRequest&) { return status(302); }, "HTTP status 302"}},
      {"broken signature",
       {[&](const HttpRequest& request) {
          HttpResponse response = bench.answer(request);
          response.body.back() ^= 1U;
          return response;
        },
        "timestamp"}},
  };
  for (const auto& [what, lie] : lies) {
    INFO(what);
    ScriptedHttp http(lie.first);

    const auto stamp = bench.stamp(http, servers({"http://a.example/"}));

    REQUIRE_FALSE(stamp);
    INFO(test::text_of(stamp.error()));
    CHECK(stamp.error().kind == ErrorKind::timestamp);
    CHECK(stamp.error().message.find(lie.second) != std::string::npos);
    CHECK(http.urls.size() == 1);
  }
}

TEST_CASE("timestamp client: an old answer does not pass for a new one", "[timestamp]") {
  Bench bench;
  HttpResponse first;
  ScriptedHttp http([&](const HttpRequest& request) {
    if (first.body.empty()) {
      first = bench.answer(request);
    }
    return first;
  });
  must(bench.stamp(http, servers({"http://a.example/"})));

  const auto again = bench.stamp(http, servers({"http://a.example/"}));

  REQUIRE_FALSE(again);
  INFO(test::text_of(again.error()));
  CHECK(again.error().message.find("nonce") != std::string::npos);
}

TEST_CASE("timestamp client: no secret of a URL reaches a message", "[timestamp]") {
  Bench bench;
  ScriptedHttp http([](const HttpRequest&) { return status(403); });

  const auto stamp = bench.stamp(http, servers({"https://user:hunter2@a.example/t?key=hunter3"}));

  REQUIRE_FALSE(stamp);
  INFO(test::text_of(stamp.error()));
  CHECK(test::text_of(stamp.error()).find("hunter") == std::string::npos);
  CHECK(http.urls.size() == 1);
}

TEST_CASE("timestamp client: Retry-After is read as seconds or as a date", "[timestamp]") {
  const TimePoint now{seconds{784'111'770}};  // 1994-11-06T08:49:30Z

  CHECK(parse_retry_after("120", now) == milliseconds(120'000));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == milliseconds(7'000));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now) == milliseconds(0));
  CHECK(parse_retry_after("99999999", now) == milliseconds(3'600'000));
  CHECK_FALSE(parse_retry_after("-1", now));
  CHECK_FALSE(parse_retry_after("soon", now));
}

}  // namespace
}  // namespace signctl::timestamp
