// SPDX-License-Identifier: Apache-2.0
// Against real servers on loopback ports.
#include "net/http_client.hpp"

#include "core/text.hpp"
#include "net/name_lookup.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/tsa_server.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <netdb.h>
#include <string>
#include <thread>
#include <vector>

namespace signctl::net {
namespace {

using std::chrono::milliseconds;
using test::must;
using test::RawServer;
using test::text_of;
using test::WebServer;

const test::FakeEnvironment kNothingSet;

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.timeout = std::chrono::seconds(20);
  return request;
}

Result<HttpResponse> send(const HttpRequest& request,
                          const Environment& environment = kNothingSet) {
  return make_http_client(environment)->send(request);
}

/// Variables of the process itself, which libcurl reads; put back at the end.
class ProcessVariable {
 public:
  ProcessVariable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    before_ = before == nullptr ? "" : before;
    ::setenv(name, value.c_str(), 1);
  }
  ProcessVariable(const ProcessVariable&) = delete;
  ProcessVariable& operator=(const ProcessVariable&) = delete;
  ~ProcessVariable() { before_.empty() ? ::unsetenv(name_) : ::setenv(name_, before_.c_str(), 1); }

 private:
  const char* name_;
  std::string before_;
};

bool libcurl_is_mapped() {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  return text.find("libcurl") != std::string::npos;
}

}  // namespace

TEST_CASE("http client: method, headers and body arrive as given", "[net]") {
  std::string seen;
  const WebServer server([&](const httplib::Request& request, httplib::Response& response) {
    seen = request.method + " " + request.path + " " + request.get_header_value("X-One") + " " +
           request.get_header_value("User-Agent") + " " + request.body;
    response.status = 201;
    response.set_header("X-Two", "  second  ");
    response.set_content("made", "text/plain");
  });
  const auto method = GENERATE("GET", "POST", "PUT", "DELETE");
  HttpRequest request = get(server.url("/a/b"));
  request.method = method;
  request.headers = {{"X-One", "first"}, {"Content-Type", "text/plain"}};
  if (request.method != "GET") {
    request.body = Bytes{'b', 'o', 'd', 'y'};
  }

  const HttpResponse response = must(send(request));

  CHECK(seen.starts_with(std::string(method) + " /a/b first signctl/"));
  CHECK(seen.find("signctl/ ") == std::string::npos);
  CHECK(seen.ends_with(request.method == "GET" ? " " : " body"));
  CHECK(response.status == 201);
  CHECK(response.headers.at("x-two") == "second");
  CHECK(as_text(response.body) == "made");
}

TEST_CASE("http client: an empty POST and a HEAD have an answer", "[net]") {
  const WebServer server([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.method + std::to_string(request.body.size()), "text/plain");
  });
  HttpRequest request = get(server.url());

  request.method = "POST";
  CHECK(as_text(must(send(request)).body) == "POST0");
  request.method = "HEAD";
  CHECK(must(send(request)).body.empty());
}

TEST_CASE("http client: error statuses and web pages are responses", "[net]") {
  const WebServer server([](const httplib::Request&, httplib::Response& response) {
    response.status = 503;
    response.set_header("Retry-After", "7");
    response.set_content("<html>busy</html>", "text/html");
  });

  const HttpResponse response = must(send(get(server.url())));

  CHECK(response.status == 503);
  CHECK(response.headers.at("retry-after") == "7");
  CHECK(response.headers.at("content-type") == "text/html");
}

TEST_CASE("http client: redirects are handed back and not followed", "[net]") {
  const WebServer server([](const httplib::Request& request, httplib::Response& response) {
    response.set_redirect(request.path == "/" ? "/other" : "/");
  });

  const HttpResponse response = must(send(get(server.url())));

  CHECK(response.status == 302);
  CHECK(response.headers.at("location") == "/other");
  CHECK(server.requests() == 1);
}

TEST_CASE("http client: a body of exactly the limit is taken, one byte more is not", "[net]") {
  const WebServer server([](const httplib::Request& request, httplib::Response& response) {
    const std::string body(1000, 'x');
    if (request.path == "/known") {
      response.set_content(body, "text/plain");
      return;
    }
    response.set_chunked_content_provider("text/plain",
                                          [body](std::size_t /*offset*/, httplib::DataSink& sink) {
                                            sink.write(body.data(), body.size());
                                            sink.done();
                                            return true;
                                          });
  });
  const auto path = GENERATE("/known", "/chunked");
  HttpRequest request = get(server.url(path));

  request.max_response_bytes = 1000;
  CHECK(must(send(request)).body.size() == 1000);
  request.max_response_bytes = 999;
  const auto refused = send(request);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::provider);
  CHECK(refused.error().may_be_done);
  CHECK(refused.error().message == server.url(path) + ": the answer is longer than 999 bytes");
}

TEST_CASE("http client: a flood of headers is cut off", "[net]") {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 600; ++i) {
    answer += "X-" + std::to_string(i) + ": " + std::string(1000, 'h') + "\r\n";
  }
  const RawServer server(answer + "Content-Length: 0\r\n\r\n");

  const auto response = send(get(server.url()));

  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::provider);
}

TEST_CASE("http client: an answer that ends early is no answer", "[net]") {
  const auto answer = GENERATE(values<std::string>({
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this",
      "HTTP/1.1 200 OK\r\nContent-Le",
      "",
  }));
  const RawServer server(answer);

  const auto response = send(get(server.url()));

  INFO(answer);
  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::network);
  CHECK(response.error().message ==
        server.url() + ": the connection was cut before the answer was complete");
}

TEST_CASE("http client: what is not HTTP is refused", "[net]") {
  const auto answer =
      GENERATE(values<std::string>({"SSH-2.0-OpenSSH_9.2\r\n", "<html>hello</html>"}));
  const RawServer server(answer);

  const auto response = send(get(server.url()));

  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::network);
  CHECK(response.error().message == server.url() + ": the answer is not HTTP");
}

TEST_CASE("http client: a server that hangs ends with the timeout", "[net]") {
  const WebServer server([](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/head") {
      std::this_thread::sleep_for(milliseconds(900));
      return;
    }
    response.set_content_provider(
        100, "text/plain", [](std::size_t offset, std::size_t, httplib::DataSink& sink) {
          std::this_thread::sleep_for(milliseconds(offset == 0 ? 1 : 900));
          return offset == 0 && sink.write("x", 1);
        });
  });
  const auto path = GENERATE("/head", "/body");
  HttpRequest request = get(server.url(path));
  request.timeout = milliseconds(300);

  const auto response = send(request);

  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::network);
  CHECK(response.error().message == server.url(path) + ": no complete answer within 0.3 s");
}

TEST_CASE("http client: a timeout of nothing is not a timeout without end", "[net]") {
  const WebServer server([](const httplib::Request&, httplib::Response&) {
    std::this_thread::sleep_for(milliseconds(300));
  });
  HttpRequest request = get(server.url());
  request.timeout = milliseconds(0);

  CHECK_FALSE(send(request));
}

TEST_CASE("http client: other schemes are not touched", "[net]") {
  const auto url =
      GENERATE("file:///etc/hostname", "ftp://127.0.0.1/", "a.example/x", "", "http://");

  const auto response = send(get(url));

  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::unsupported);
}

TEST_CASE("http client: nobody listening is a network error", "[net]") {
  const auto response = send(get("http://127.0.0.1:1/"));

  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::network);
  CHECK_FALSE(response.error().hint.empty());
}

TEST_CASE("http client: a name that does not exist is a wrong setting, and nothing to wait for",
          "[net]") {
  // Longer than a name may be: no resolver has to be asked.
  const std::string host = std::string(64, 'a') + ".invalid";

  const auto response = send(get("http://" + host + "/"));

  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::config);
  CHECK(response.error().message.find("there is no host named " + host) != std::string::npos);
  CHECK(response.error().hint.find("spelling") != std::string::npos);
}

TEST_CASE("http client: a proxy whose name does not exist is named as the reason", "[net]") {
  const std::string host = std::string(64, 'p') + ".invalid";
  const ProcessVariable proxy("http_proxy", "http://" + host + ":3128");

  const auto response = send(get("http://nowhere.invalid/"));

  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == ErrorKind::config);
  CHECK(response.error().message.find(host + " (the proxy)") != std::string::npos);
}

TEST_CASE("http client: what a proxy refuses is final, what it is in trouble with is not",
          "[net]") {
  struct Row {
    const char* status;
    ErrorKind kind;
  };
  const auto row = GENERATE(values<Row>({{"407 Proxy Authentication Required", ErrorKind::auth},
                                         {"403 Forbidden", ErrorKind::config},
                                         {"503 Busy", ErrorKind::network}}));
  const RawServer proxy(std::string("HTTP/1.1 ") + row.status + "\r\nContent-Length: 0\r\n\r\n");
  const ProcessVariable https("https_proxy", proxy.url());

  const auto response = send(get("https://nowhere.invalid/"));

  REQUIRE_FALSE(response);
  INFO(text_of(response.error()));
  CHECK(response.error().kind == row.kind);
  CHECK(response.error().message.find("the proxy refused the connection") != std::string::npos);
}

TEST_CASE("name lookup: only a clear no is one", "[net]") {
  CHECK(name_state(0) == NameState::present);
  CHECK(name_state(EAI_NONAME) == NameState::absent);
  for (const int passing : {EAI_AGAIN, EAI_FAIL, EAI_SYSTEM, EAI_MEMORY}) {
    CHECK(name_state(passing) == NameState::unknown);
  }
  if (std::filesystem::exists("/etc/hosts")) {
    CHECK(look_up("localhost") == NameState::present);
  } else {
    std::cerr << "SKIPPED: the lookup of a name that is there (no /etc/hosts)\n";
  }
  CHECK(look_up(std::string(64, 'a') + ".invalid") == NameState::absent);
}

TEST_CASE("http client: an answer that was lost after the request was sent is told apart",
          "[net]") {
  const RawServer cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  const RawServer garbage("SSH-2.0-OpenSSH_9.2\r\n");

  CHECK(send(get(cut.url())).error().may_be_done);
  CHECK(send(get(garbage.url())).error().may_be_done);
  CHECK_FALSE(send(get("http://127.0.0.1:1/")).error().may_be_done);
}

TEST_CASE("http client: a line break in a header never gets out", "[net]") {
  const WebServer server([](const httplib::Request&, httplib::Response&) {});
  HttpRequest request = get(server.url());
  request.headers = {{"X-One", "a\r\nX-Evil: b"}};

  CHECK_FALSE(send(request));
  CHECK(server.requests() == 0);
}

TEST_CASE("http client: no secret of a request reaches a message", "[net]") {
  const WebServer slow([](const httplib::Request&, httplib::Response&) {
    std::this_thread::sleep_for(milliseconds(300));
  });
  const RawServer cut("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  const std::string port = slow.url("").substr(slow.url("").rfind(':'));
  const std::string cut_port = cut.url().substr(cut.url().rfind(':'));
  const std::vector<std::string> urls{"http://u:hunter2@127.0.0.1" + port + "/?k=hunter2",
                                      "http://u:hunter2@127.0.0.1" + cut_port + "?k=hunter2",
                                      "http://u:hunter2@127.0.0.1:1/x#hunter2",
                                      "http://u:hunt/er2hunter2@127.0.0.1:1/",
                                      "http://u:hunter2 @127.0.0.1:1/",
                                      "ftp://u:hunter2@127.0.0.1/",
                                      "https://u:hunter2@127.0.0.1" + port + "/?k=hunter2",
                                      "http://u:hunter2@nowhere.invalid/?k=hunter2"};
  for (const std::string& url : urls) {
    HttpRequest request = get(url);
    request.timeout = milliseconds(150);
    request.headers = {{"Authorization", "Bearer hunter2"}};
    request.body = Bytes{'h', 'u', 'n', 't', 'e', 'r', '2'};
    request.method = "POST";

    const auto response = send(request);

    INFO(url);
    REQUIRE_FALSE(response);
    INFO(text_of(response.error()));
    CHECK(text_of(response.error()).find("hunt") == std::string::npos);
  }
}

TEST_CASE("http client: one client serves several threads", "[net]") {
  const WebServer server([](const httplib::Request& request, httplib::Response& response) {
    response.set_content(request.body, "text/plain");
  });
  const auto client = make_http_client(kNothingSet);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        HttpRequest request = get(server.url());
        request.method = "POST";
        const std::string body = std::to_string(i) + "/" + std::to_string(round);
        request.body = Bytes(body.begin(), body.end());
        const auto response = client->send(request);
        right += response && response->body == request.body ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  CHECK(right == 80);
  CHECK(server.requests() == 80);
}

TEST_CASE("http client: loopback is not asked through a proxy, other hosts are", "[net]") {
  const WebServer server([](const httplib::Request&, httplib::Response& response) {
    response.set_content("direct", "text/plain");
  });
  const RawServer proxy("HTTP/1.1 502 Proxy\r\nContent-Length: 0\r\n\r\n");
  const ProcessVariable http("http_proxy", proxy.url());
  const ProcessVariable all("ALL_PROXY", proxy.url());

  CHECK(must(send(get(server.url()))).status == 200);
  CHECK(must(send(get("http://nowhere.invalid/"))).status == 502);
}

TEST_CASE("http client: libcurl is not in the process [child]", "[.][net-mapping]") {
  const auto client = make_http_client(kNothingSet);
  HttpRequest request = get("ftp://nowhere.invalid/");
  CHECK_FALSE(client->send(request));
  CHECK_FALSE(libcurl_is_mapped());

  CHECK_FALSE(client->send(get("http://127.0.0.1:1/")));

  CHECK(libcurl_is_mapped());
}

TEST_CASE("http client: libcurl is loaded by the first request and not before", "[net]") {
#ifdef SIGNCTL_LOAD_CURL_LATE
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    std::cerr << "SKIPPED: libcurl is loaded by the first request (no /proc)\n";
    return;
  }
  // In a process of its own: other tests here have sent requests already.
  CHECK(std::system(("'" + self.string() + "' '[net-mapping]' >/dev/null").c_str()) == 0);
#else
  std::cerr << "SKIPPED: libcurl is loaded by the first request (this build links it)\n";
#endif
}

}  // namespace signctl::net
