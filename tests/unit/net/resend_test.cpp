// SPDX-License-Identifier: Apache-2.0
// What becomes of a request whose answer is lost on a connection that was used before.
#include "net/http_client.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <httplib.h>

namespace signctl::net {
namespace {

using test::text_of;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kBody = "digest";

/// Answers the first request of each connection, takes the second, and hangs up without a word.
class Fickle final : public httplib::Server {
 public:
  Fickle() : port_(bind_to_any_port("127.0.0.1")) {
    thread_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  Fickle(const Fickle&) = delete;
  Fickle& operator=(const Fickle&) = delete;
  ~Fickle() override {
    stop();
    thread_.join();
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int taken() const { return taken_; }

 private:
  bool process_and_close_socket(socket_t sock) override {
    for (int i = 0; i < 2 && take_request(sock); ++i) {
      ++taken_;
      if (i == 0) {
        ::send(sock, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
      }
    }
    ::shutdown(sock, SHUT_RDWR);
    return ::close(sock) == 0;
  }

  /// False when the client has gone.
  static bool take_request(socket_t sock) {
    std::string asked;
    std::array<char, 4096> buffer{};
    while (!asked.ends_with("\r\n\r\n" + std::string(kBody)) &&
           !(asked.starts_with("GET") && asked.ends_with("\r\n\r\n"))) {
      const auto received = ::recv(sock, buffer.data(), buffer.size(), 0);
      if (received <= 0) {
        return false;
      }
      asked.append(buffer.data(), static_cast<std::size_t>(received));
    }
    return true;
  }

  int port_;
  std::atomic<int> taken_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("http client: a POST whose answer is lost is not sent again by itself", "[net]") {
  Fickle server;
  const test::FakeEnvironment environment;
  const auto client = make_http_client(environment);
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  request.body = Bytes(kBody.begin(), kBody.end());
  REQUIRE(client->send(request));

  const auto lost = client->send(request);

  REQUIRE_FALSE(lost);
  CHECK(text_of(lost.error()).find("the connection was cut before the answer was complete") !=
        std::string::npos);
  CHECK(lost.error().kind == ErrorKind::network);
  CHECK(lost.error().may_be_done);
  CHECK(server.taken() == 2);
  CHECK(client->send(request));
}

TEST_CASE("http client: a POST is not trusted to a connection that has long been idle", "[net]") {
  Fickle server;
  const test::FakeEnvironment environment;
  const auto client = make_http_client(environment);
  HttpRequest request;
  request.method = "POST";
  request.url = server.url();
  request.body = Bytes(kBody.begin(), kBody.end());
  REQUIRE(client->send(request));

  std::this_thread::sleep_for(std::chrono::milliseconds(4100));

  CHECK(client->send(request));
  CHECK(server.taken() == 2);
}

TEST_CASE("http client: a GET whose answer is lost is asked again on another connection", "[net]") {
  Fickle server;
  const test::FakeEnvironment environment;
  const auto client = make_http_client(environment);
  HttpRequest request;
  request.url = server.url();
  REQUIRE(client->send(request));

  CHECK(client->send(request));
  CHECK(server.taken() == 3);
}

}  // namespace signctl::net
