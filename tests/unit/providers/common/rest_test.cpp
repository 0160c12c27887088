// SPDX-License-Identifier: Apache-2.0
#include "providers/common/rest.hpp"

#include "core/text.hpp"
#include "providers/common/http_date.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"

#include <deque>

namespace signctl::test {
namespace {

using providers::Call;
using providers::Reply;
using providers::RestClient;
using providers::Service;

/// Answers from a script, and keeps what it was asked.
class Script final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request);
    if (answers.empty()) {
      return Error{ErrorKind::network, "the script is over"};
    }
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  void say(int status, std::map<std::string, std::string> headers = {}, std::string body = "{}") {
    HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    response.body.assign(body.begin(), body.end());
    answers.emplace_back(std::move(response));
  }

  std::deque<Result<HttpResponse>> answers;
  std::vector<HttpRequest> asked;
};

struct Stage {
  FakeWorld fake;
  Script http;
  std::chrono::steady_clock::time_point began{fake.clock.steady_now()};

  RestClient client(std::shared_ptr<providers::Authorizer> authorizer = nullptr) {
    Service service;
    service.name = "Fake";
    service.base_url = "https://fake.example";
    return {{fake.clock, fake.environment, http}, service, std::move(authorizer), nullptr};
  }
  [[nodiscard]] std::chrono::seconds waited() const {
    return std::chrono::duration_cast<std::chrono::seconds>(fake.clock.steady_now() - began);
  }
};

/// Counts, and has one more credential.
class Renewable final : public providers::Authorizer {
 public:
  Result<void> authorize(HttpRequest& request) override {
    request.headers["Authorization"] = "token " + std::to_string(generation);
    return ok();
  }
  bool renew() override {
    ++generation;
    return true;
  }
  int generation{0};
};

}  // namespace

TEST_CASE("rest: a refusal names what the service's support finds it by", "[providers][common]") {
  Stage stage;
  stage.http.say(403, {{"x-ms-request-id", "5f3a"}});
  stage.http.say(403, {{"x-amzn-requestid", "evil\nline"}});
  stage.http.say(403);

  CHECK(text_of(stage.client().send(Call{}).error()).find("(request id 5f3a)") !=
        std::string::npos);
  CHECK(text_of(stage.client().send(Call{}).error()).find('\n') == std::string::npos);
  CHECK(text_of(stage.client().send(Call{}).error()).find("request id") == std::string::npos);
}

TEST_CASE("rest: transient refusals are tried again, others are not", "[providers][common]") {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    Stage stage;
    stage.http.say(status);
    stage.http.say(200);
    CHECK(stage.client().send(Call{.path = "/x"}));
    CHECK(stage.http.asked.size() == 2);
  }
  for (const auto& [status, kind] : {std::pair{400, ErrorKind::provider},
                                     std::pair{401, ErrorKind::auth},
                                     std::pair{403, ErrorKind::auth},
                                     std::pair{404, ErrorKind::provider},
                                     std::pair{302, ErrorKind::provider}}) {
    Stage stage;
    stage.http.say(status);
    stage.http.say(200);
    const auto reply = stage.client().send(Call{.path = "/x"});
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == kind);
    CHECK(stage.http.asked.size() == 1);
  }
}

TEST_CASE("rest: Retry-After is honoured as seconds and as a date of the server's clock",
          "[providers][common]") {
  Stage stage;
  stage.http.say(429, {{"retry-after", "42"}});
  stage.http.say(503,
                 {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                  {"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"}});
  stage.http.say(200);

  must(stage.client().send(Call{.path = "/x"}));

  CHECK(stage.waited() == std::chrono::seconds(42 + 60));
}

TEST_CASE("rest: who asks for too long a wait is told no", "[providers][common]") {
  Stage stage;
  stage.http.say(429, {{"retry-after", "3600"}});
  stage.http.say(200);

  const auto reply = stage.client().send(Call{.path = "/x"});

  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::network);
  CHECK(reply.error().retry_after == std::chrono::hours(1));
  CHECK(stage.http.asked.size() == 1);
}

TEST_CASE("rest: gives up after the attempts, and says how many", "[providers][common]") {
  Stage stage;

  const auto reply = stage.client().send(Call{.path = "/x"});

  REQUIRE_FALSE(reply);
  CHECK(stage.http.asked.size() == 6);
  CHECK(reply.error().message.find("tried 6 times") != std::string::npos);
  CHECK(stage.waited() <= std::chrono::seconds(32));
}

TEST_CASE("rest: a counted call whose answer is lost is made twice and no more",
          "[providers][common]") {
  Error lost{ErrorKind::network, "cut"};
  lost.may_be_done = true;
  Call counted{.path = "/sign"};
  counted.counted = true;
  Stage stage;
  for (int i = 0; i < 6; ++i) {
    stage.http.answers.emplace_back(lost);
  }

  const auto reply = stage.client().send(counted);

  REQUIRE_FALSE(reply);
  CHECK(stage.http.asked.size() == 2);
  CHECK(reply.error().kind == ErrorKind::network);
  CHECK(reply.error().hint.find("may have counted 2 signatures") != std::string::npos);
  // One that was not carried out for certain costs nothing.
  Stage busy;
  for (int i = 0; i < 4; ++i) {
    busy.http.say(503);
  }
  busy.http.answers.emplace_back(lost);
  busy.http.say(200);
  CHECK(busy.client().send(counted));
  CHECK(busy.http.asked.size() == 6);
  // Others are as free as before.
  Stage free;
  for (int i = 0; i < 5; ++i) {
    free.http.answers.emplace_back(lost);
  }
  free.http.say(200);
  CHECK(free.client().send(Call{.path = "/look"}));
}

TEST_CASE("rest: a counted call that may be carried out for all its error is made twice",
          "[providers][common]") {
  Call counted{.path = "/sign"};
  counted.counted = true;
  for (const int status : {500, 502, 504, 524}) {
    INFO(status);
    Stage stage;
    for (int i = 0; i < 6; ++i) {
      stage.http.say(status);
    }

    const auto reply = stage.client().send(counted);

    REQUIRE_FALSE(reply);
    CHECK(stage.http.asked.size() == 2);
    CHECK(reply.error().may_be_done);
    CHECK(reply.error().hint.find("may have counted 2 signatures") != std::string::npos);
  }
  for (const int status : {429, 503}) {
    INFO(status);
    Stage stage;
    for (int i = 0; i < 6; ++i) {
      stage.http.say(status);
    }

    const auto reply = stage.client().send(counted);

    REQUIRE_FALSE(reply);
    CHECK(stage.http.asked.size() == 6);
    CHECK_FALSE(reply.error().may_be_done);
  }
}

TEST_CASE("rest: only what is counted may be done", "[providers][common]") {
  Error lost{ErrorKind::network, "cut"};
  lost.may_be_done = true;
  Stage stage;
  for (int i = 0; i < 6; ++i) {
    stage.http.answers.emplace_back(lost);
  }

  CHECK_FALSE(stage.client().send(Call{.path = "/look"}).error().may_be_done);
}

TEST_CASE("rest: what no second attempt mends is tried once", "[providers][common]") {
  Stage stage;
  stage.http.answers.emplace_back(Error{ErrorKind::config, "the TLS certificate is not trusted"});

  const auto reply = stage.client().send(Call{.path = "/x"});

  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::config);
  CHECK(stage.http.asked.size() == 1);
}

TEST_CASE("rest: gives up at the deadline", "[providers][common]") {
  Stage stage;
  for (int i = 0; i < 5; ++i) {
    stage.http.say(503, {{"retry-after", "110"}});
  }

  CHECK_FALSE(stage.client().send(Call{.path = "/x"}));

  CHECK(stage.http.asked.size() == 3);
}

TEST_CASE("rest: a 401 renews the credential once", "[providers][common]") {
  Stage stage;
  const auto authorizer = std::make_shared<Renewable>();
  stage.http.say(401);
  stage.http.say(200);
  must(stage.client(authorizer).send(Call{.path = "/x"}));
  REQUIRE(stage.http.asked.size() == 2);
  CHECK(stage.http.asked[0].headers["Authorization"] == "token 0");
  CHECK(stage.http.asked[1].headers["Authorization"] == "token 1");

  Stage refused;
  refused.http.say(401);
  refused.http.say(401);
  refused.http.say(200);
  const auto reply = refused.client(std::make_shared<Renewable>()).send(Call{.path = "/x"});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::auth);
  CHECK(refused.http.asked.size() == 2);
}

TEST_CASE("rest: a login that has given up is not tried again by the call it is for",
          "[providers][common]") {
  /// Logs in by a call of its own, in vain.
  class LoggingIn final : public providers::Authorizer {
   public:
    explicit LoggingIn(RestClient login) : login_(std::move(login)) {}
    Result<void> authorize(HttpRequest& /*request*/) override {
      SIGNCTL_CHECK(login_.send(Call{.path = "/login"}), "");
      return ok();
    }

   private:
    RestClient login_;
  };
  Stage stage;

  const auto reply = stage.client(std::make_shared<LoggingIn>(stage.client())).send(Call{});

  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::network);
  CHECK(stage.http.asked.size() == 6);
  CHECK(reply.error().message == "the script is over (tried 6 times)");
}

TEST_CASE("rest: a query is no part of a message", "[providers][common]") {
  Stage stage;
  stage.http.say(400, {}, R"({"secret":"s3cr3t"})");

  const auto reply = stage.client().send(Call{.path = "/x?token=s3cr3t"});

  REQUIRE_FALSE(reply);
  CHECK(text_of(reply.error()).find("s3cr3t") == std::string::npos);
}

TEST_CASE("service url: https, or http where nobody listens in", "[providers][common]") {
  using providers::service_url;
  CHECK(must(service_url("https://a.example/b//", "url")) == "https://a.example/b");
  for (const char* good : {"http://127.0.0.1:8080",
                           "http://localhost/x",
                           "http://[::1]:1/",
                           "http://169.254.169.254",
                           "https://[2001:db8::1]:8443"}) {
    INFO(good);
    CHECK(service_url(good, "url"));
  }
  for (const char* bad : {"",
                          "a.example",
                          "https://",
                          "http://a.example",
                          "http://127.0.0.1.evil.example",
                          "http://127.evil.example",
                          "http://localhost.evil.example",
                          "http://localhost@evil.example",
                          "https://user:pw@a.example",
                          "https://a.example/?x",
                          "https://a.example/#x",
                          "ftp://a.example",
                          "https://a example"}) {
    INFO(bad);
    const auto url = service_url(bad, "url");
    REQUIRE_FALSE(url);
    CHECK(url.error().kind == ErrorKind::config);
    CHECK(url.error().message.find("pw") == std::string::npos);
  }
}

TEST_CASE("http date: the fixed form and no other", "[providers][common]") {
  CHECK(providers::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") ==
        TimePoint{std::chrono::seconds{784'111'777}});
  for (const char* bad : {"",
                          "Sunday, 06-Nov-94 08:49:37 GMT",
                          "Sun Nov  6 08:49:37 1994",
                          "Sun, 06 Nov 1994 08:49:37 UTC",
                          "Sun, 99 Nov 1994 08:49:37 GMT",
                          "Sun, 06 ovD 1994 08:49:37 GMT"}) {
    INFO(bad);
    CHECK_FALSE(providers::parse_http_date(bad));
  }
}

TEST_CASE("encoding: base64 in any spelling, and percent", "[providers][common]") {
  const Bytes octets{0xFB, 0xEF, 0xFF, 0x01};
  for (const char* text : {"++//AQ==", "--__AQ", "++//\r\nAQ==\r\n", "++//AQ"}) {
    INFO(text);
    CHECK(providers::from_any_base64(text) == octets);
  }
  CHECK_FALSE(providers::from_any_base64("A"));
  CHECK_FALSE(providers::from_any_base64("!!!!"));
  CHECK(providers::to_base64url(octets) == "--__AQ");
  CHECK(providers::percent_encode("a b/ü~") == "a%20b%2F%C3%BC~");
  CHECK(as_text(providers::form_body({{"a", "1&2"}, {"b", "="}})) == "a=1%262&b=%3D");
  CHECK(providers::parse_json("{").is_discarded());
  CHECK(providers::text_at(providers::parse_json(R"({"a":{"b":"c"}})"), {"a", "b"}) == "c");
  CHECK(providers::text_at(providers::parse_json(R"({"a":1})"), {"a", "b"}).empty());
}

}  // namespace signctl::test
