// SPDX-License-Identifier: Apache-2.0
// The client against real HTTP servers that lie. The truth comes from the test's own builder.
#include "core/text.hpp"
#include "net/http_client.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/tsa_server.hpp"
#include "timestamp/client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

namespace signctl::timestamp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::must;
using test::text_of;
using test::TsaQuery;
using test::TstRecipe;
using test::WebServer;

constexpr std::string_view kUsage = "critical,timeStamping";

/// A client with real HTTP and a clock that waits in no time.
struct Bench {
  test::FakeClock clock{TimePoint{seconds{1'795'435'200}}};
  test::FakeEnvironment environment;
  std::unique_ptr<HttpClient> http = net::make_http_client(environment);
  milliseconds timeout{20'000};

  std::unique_ptr<Timestamper> client(const std::vector<std::string>& servers, int attempts = 3) {
    Options options;
    options.servers = servers;
    options.timeout = timeout;
    options.retry.attempts = attempts;
    return must(make_timestamper(std::move(options), World{clock, environment, *http}));
  }

  Result<Stamp> stamp(const std::vector<std::string>& servers, const std::string& policy = "") {
    auto result = client(servers)->stamp({Bytes(64, 7), DigestAlg::sha256, policy});
    // A server that goes away waits a second for a connection that is kept open.
    http = net::make_http_client(environment);
    return result;
  }

  [[nodiscard]] crypto::KeyBundle tsa(std::string_view usage = kUsage) const {
    return test::make_tsa(clock.now(), std::string(usage));
  }

  /// Tells the truth, but for what `lie` changes.
  [[nodiscard]] WebServer::Answer answering(const crypto::KeyBundle& tsa,
                                            const std::function<void(TstRecipe&)>& lie = {}) const {
    return [this, tsa, lie](const httplib::Request& request, httplib::Response& response) {
      TstRecipe info = test::truthful(test::read_query(request.body), clock.now());
      if (lie) {
        lie(info);
      }
      test::set_reply(response, test::granted(tsa, info));
    };
  }
};

void check_refused(const Result<Stamp>& stamp, const std::string& words, const WebServer& server) {
  REQUIRE_FALSE(stamp);
  INFO(text_of(stamp.error()));
  CHECK(stamp.error().kind == ErrorKind::timestamp);
  CHECK(stamp.error().message.find(words) != std::string::npos);
  CHECK(stamp.error().message.find(server.url()) != std::string::npos);
  // What is wrong today is wrong in a second, too.
  CHECK(server.requests() == 1);
}

}  // namespace

TEST_CASE("timestamp over http: the truth is taken", "[timestamp]") {
  const Bench setup;
  std::string type;
  const auto honest = setup.answering(setup.tsa());
  const WebServer server([&](const httplib::Request& request, httplib::Response& response) {
    type = request.get_header_value("Content-Type");
    honest(request, response);
  });
  Bench bench;

  const Stamp stamp = must(bench.stamp({server.url("/tsa")}, "1.2.3.4"));

  CHECK(stamp.attempts == 1);
  CHECK(stamp.source == server.url("/tsa"));
  CHECK(type == "application/timestamp-query");
}

TEST_CASE("timestamp over http: a token that says something else is refused", "[timestamp]") {
  Bench bench;
  const std::map<std::string, std::pair<std::function<void(TstRecipe&)>, std::string>> lies{
      {"nonce", {[](TstRecipe& info) { info.tail.back() ^= 1U; }, "answers another request"}},
      {"no nonce", {[](TstRecipe& info) { info.tail.clear(); }, "no nonce"}},
      {"imprint", {[](TstRecipe& info) { info.imprint[0] ^= 1U; }, "over something else"}},
      {"short imprint", {[](TstRecipe& info) { info.imprint.resize(20); }, "timestamp"}},
      {"digest",
       {[](TstRecipe& info) {
          info.alg = DigestAlg::sha384;
          info.imprint.resize(48);
        },
        "over something else"}},
      {"weak digest",
       {[](TstRecipe& info) {
          info.alg = DigestAlg::sha1;
          info.imprint.resize(20);
        },
        "over something else"}},
      {"policy", {[](TstRecipe& info) { info.policy = "1.2.3.5"; }, "under policy 1.2.3.5"}},
      {"time", {[](TstRecipe& info) { info.time = "20261123120501Z"; }, "this machine's clock"}},
      {"version", {[](TstRecipe& info) { info.version = 2; }, "timestamp"}},
  };
  for (const auto& [what, lie] : lies) {
    INFO(what);
    const WebServer server(bench.answering(bench.tsa(), lie.first));

    check_refused(bench.stamp({server.url()}, "1.2.3.4"), lie.second, server);
  }
}

TEST_CASE("timestamp over http: the authority's usage must be critical and alone", "[timestamp]") {
  Bench bench;
  const auto usage = GENERATE(values<std::string>({"",
                                                   "timeStamping",
                                                   "critical,codeSigning",
                                                   "critical,timeStamping,codeSigning",
                                                   "critical,2.5.29.37.0"}));
  INFO(usage);
  const WebServer server(bench.answering(bench.tsa(usage)));

  check_refused(bench.stamp({server.url()}), "timestamp-", server);
}

TEST_CASE("timestamp over http: a token of another key than its certificate's is refused",
          "[timestamp]") {
  Bench bench;
  crypto::KeyBundle mixed = bench.tsa();
  mixed.key = bench.tsa().key;
  const WebServer server(bench.answering(mixed));

  check_refused(bench.stamp({server.url()}), "timestamp-", server);
}

TEST_CASE("timestamp over http: an old token played again is refused", "[timestamp]") {
  Bench bench;
  std::string kept;
  const auto honest = bench.answering(bench.tsa());
  const WebServer server([&](const httplib::Request& request, httplib::Response& response) {
    if (kept.empty()) {
      honest(request, response);
      kept = response.body;
    }
    response.set_content(kept, "application/timestamp-reply");
  });
  const auto client = bench.client({server.url()});
  must(client->stamp({Bytes(64, 7), DigestAlg::sha256, ""}));

  const auto again = client->stamp({Bytes(64, 7), DigestAlg::sha256, ""});

  REQUIRE_FALSE(again);
  CHECK(again.error().message.find("answers another request (nonce)") != std::string::npos);
  // One that has been right before is asked once more, and no further.
  CHECK(server.requests() == 3);
}

TEST_CASE("timestamp over http: a refusal is told with its reason", "[timestamp]") {
  Bench bench;
  const std::map<unsigned, std::string> reasons{{0, "the hash algorithm is not supported"},
                                                {2, "the request is not permitted"},
                                                {5, "the request is malformed"},
                                                {15, "the policy is not supported"},
                                                {16, "an extension is not supported"},
                                                {17, "additional information is not available"}};
  for (const auto& [bit, words] : reasons) {
    const Bytes reply = test::rejected(2, bit, "go away\x1b[31m");
    const WebServer server([&](const httplib::Request&, httplib::Response& response) {
      test::set_reply(response, reply);
    });

    const auto stamp = bench.stamp({server.url()});

    check_refused(stamp, words, server);
    CHECK(stamp.error().message.find("status 2") != std::string::npos);
    CHECK(stamp.error().message.find("go away\\x1b[31m") != std::string::npos);
  }
}

TEST_CASE("timestamp over http: an authority in trouble is asked again", "[timestamp]") {
  Bench bench;
  const auto bit = GENERATE(14U, 25U);
  const auto honest = bench.answering(bench.tsa());
  std::atomic<int> asked{0};
  const WebServer server([&](const httplib::Request& request, httplib::Response& response) {
    if (++asked == 1) {
      test::set_reply(response, test::rejected(2, bit, "later"));
    } else {
      honest(request, response);
    }
  });

  CHECK(must(bench.stamp({server.url()})).attempts == 2);
}

TEST_CASE("timestamp over http: waiting (3) and revoked (4, 5) are no success", "[timestamp]") {
  Bench bench;
  const auto status = GENERATE(3U, 4U, 5U);
  const WebServer server([&](const httplib::Request&, httplib::Response& response) {
    test::set_reply(response, test::rejected(status, 2, "no"));
  });

  check_refused(bench.stamp({server.url()}), "status " + std::to_string(status), server);
}

TEST_CASE("timestamp over http: what is no timestamp response is refused", "[timestamp]") {
  Bench bench;
  struct Answer {
    std::string body;
    std::string type;
    std::string words;
  };
  const auto answer = GENERATE(values<Answer>({
      {"<html>sign in</html>", "text/html", "a web page"},
      {"<html>sign in</html>", "application/timestamp-reply", "not a timestamp response"},
      {"{}", "application/json", "of type \"application/json\""},
      {"", "application/timestamp-reply", "not a timestamp response"},
      {std::string("\x30\x84\xff\xff\xff\xff", 6),
       "application/timestamp-reply",
       "not a timestamp response"},
      {std::string(2U << 20U, '0'), "application/timestamp-reply", "longer than"},
  }));
  const WebServer server([&](const httplib::Request&, httplib::Response& response) {
    response.set_content(answer.body, answer.type.c_str());
  });

  check_refused(bench.stamp({server.url()}), answer.words, server);
}

TEST_CASE("timestamp over http: a truncated response is refused at every length", "[timestamp]") {
  Bench bench;
  const auto tsa = bench.tsa();
  std::size_t cut = 0;
  std::size_t whole = 1;
  const WebServer server([&](const httplib::Request& request, httplib::Response& response) {
    Bytes reply =
        test::granted(tsa, test::truthful(test::read_query(request.body), bench.clock.now()));
    whole = reply.size();
    reply.resize(std::min(cut, reply.size()));
    test::set_reply(response, reply);
  });
  for (; cut < whole; cut += 37) {
    CHECK_FALSE(bench.stamp({server.url()}));
  }

  // The last one that was cut was not refused for some other reason.
  cut = whole + 1000;
  CHECK(bench.stamp({server.url()}));
}

TEST_CASE("timestamp over http: a server that hangs is left for the next one", "[timestamp]") {
  Bench bench;
  bench.timeout = milliseconds(600);
  const WebServer hanging([](const httplib::Request&, httplib::Response&) {
    std::this_thread::sleep_for(milliseconds(1500));
  });
  const WebServer good(bench.answering(bench.tsa()));

  const Stamp stamp = must(bench.stamp({hanging.url(), good.url()}));

  CHECK(stamp.source == good.url());
  CHECK(stamp.attempts == 2);
}

TEST_CASE("timestamp over http: only hanging servers end in an error that says so", "[timestamp]") {
  Bench bench;
  bench.timeout = milliseconds(600);
  const WebServer hanging([](const httplib::Request&, httplib::Response&) {
    std::this_thread::sleep_for(milliseconds(1500));
  });

  const auto stamp = bench.client({hanging.url()}, 1)->stamp({Bytes(64, 7), DigestAlg::sha256, ""});

  REQUIRE_FALSE(stamp);
  INFO(text_of(stamp.error()));
  CHECK(stamp.error().kind == ErrorKind::timestamp);
  CHECK(stamp.error().message.find("no complete answer within 0.6 s") != std::string::npos);
}

TEST_CASE("timestamp over http: a lie of the first server is no harm with a second",
          "[timestamp]") {
  Bench bench;
  const WebServer liar(bench.answering(bench.tsa(), [](TstRecipe& info) { info.tail.clear(); }));
  const WebServer good(bench.answering(bench.tsa()));

  CHECK(must(bench.stamp({liar.url(), good.url()})).source == good.url());
}

TEST_CASE("timestamp over http: Retry-After holds for the server that said it", "[timestamp]") {
  Bench bench;
  const WebServer busy([](const httplib::Request&, httplib::Response& response) {
    response.status = 503;
    response.set_header("Retry-After", "120");
  });
  const auto honest = bench.answering(bench.tsa());
  std::atomic<int> asked{0};
  const WebServer shaky([&](const httplib::Request& request, httplib::Response& response) {
    // From the fourth on it fails until the other has been asked again, however short its own pause
    // is.
    if (const int number = ++asked; number == 1 || (number >= 4 && busy.requests() < 2)) {
      response.status = 500;
    } else {
      honest(request, response);
    }
  });
  const TimePoint before = bench.clock.now();
  const auto client = bench.client({busy.url(), shaky.url()});

  const Stamp first = must(client->stamp({Bytes(64, 7), DigestAlg::sha256, ""}));
  const TimePoint after_first = bench.clock.now();
  const Stamp second = must(client->stamp({Bytes(64, 7), DigestAlg::sha256, ""}));

  CHECK(first.source == shaky.url());
  CHECK(after_first - before <= seconds(1));
  CHECK(busy.requests() == 1);
  CHECK(second.attempts == 1);

  // It may be asked again, and is as soon as the one that took over fails.
  bench.clock.sleep_for(seconds(121));
  const Stamp third = must(client->stamp({Bytes(64, 7), DigestAlg::sha256, ""}));
  CHECK(third.source == shaky.url());
  CHECK(busy.requests() == 2);
}

TEST_CASE("timestamp over http: a wait beyond the deadline is not begun", "[timestamp]") {
  Bench bench;
  const WebServer busy([](const httplib::Request&, httplib::Response& response) {
    response.status = 429;
    response.set_header("Retry-After", "3600");
  });
  const TimePoint before = bench.clock.now();
  const auto client = bench.client({busy.url()});

  const auto first = client->stamp({Bytes(64, 7), DigestAlg::sha256, ""});
  const auto second = client->stamp({Bytes(64, 7), DigestAlg::sha256, ""});

  REQUIRE_FALSE(first);
  CHECK(first.error().message.find("HTTP status 429") != std::string::npos);
  REQUIRE_FALSE(second);
  INFO(text_of(second.error()));
  CHECK(second.error().message.find("asked to be left alone") != std::string::npos);
  CHECK(bench.clock.now() == before);
  CHECK(busy.requests() == 1);
}

TEST_CASE("local authority: another policy than its own is not accepted", "[timestamp]") {
  Bench bench;

  const auto stamp = bench.stamp({"dev:"}, "1.2.3.4");

  REQUIRE_FALSE(stamp);
  INFO(text_of(stamp.error()));
  CHECK(stamp.error().kind == ErrorKind::timestamp);
  CHECK(stamp.error().message.find("the policy is not supported") != std::string::npos);
  CHECK(bench.stamp({"dev:"}, "2.25.204171137263254419826915138473526092417.1"));
}

}  // namespace signctl::timestamp
