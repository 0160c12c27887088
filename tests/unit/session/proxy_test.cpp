// SPDX-License-Identifier: Apache-2.0
#include "session/proxy.hpp"

#include "session/host.hpp"
#include "session/link.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <chrono>
#include <functional>
#include <thread>

using namespace signctl;
using namespace signctl::session;
using namespace signctl::test;

#ifndef _WIN32

namespace {

constexpr std::chrono::seconds kSoon{10};

/// A session for one client, up to its first question; `then` is what it does with that.
class ShortSession {
 public:
  explicit ShortSession(std::function<void(Link&)> then) : address_{path(), "1.0", Bytes(8, 1)} {
    auto listener = must(listen(address_.path));
    thread_ = std::thread([listener = std::move(listener), then = std::move(then)]() mutable {
      const auto link = listener->accept(kSoon);
      if (link == nullptr || !link->send(encode(Welcome{kProtocol, "1.0", Bytes(32, 2)})) ||
          !link->receive(kSoon) || !link->send(encode(Answer{}))) {
        return;
      }
      // Nobody comes after this one.
      listener.reset();
      then(*link);
    });
  }
  ShortSession(const ShortSession&) = delete;
  ShortSession& operator=(const ShortSession&) = delete;
  ~ShortSession() { thread_.join(); }

  /// What a client hears that wants a signature.
  Error refusal() {
    const auto client = must(through(address_, [this]() -> Result<std::unique_ptr<SigningSession>> {
      ++logins;
      return Error{ErrorKind::auth, "no login here"};
    })());
    const auto made = client->sign(Bytes(32, 3), DigestAlg::sha256);
    REQUIRE_FALSE(made);
    return made.error();
  }

  int logins{0};

 private:
  std::string path() {
    must(make_session_folder(folder_.file("run")));
    return folder_.file("run/s.sock");
  }

  TemporaryFolder folder_;
  Address address_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a session that goes with a question for a signature may have had it made", "[session]") {
  ShortSession session([](Link& link) { static_cast<void>(link.receive(kSoon)); });

  const Error error = session.refusal();

  CHECK(error.kind == ErrorKind::network);
  CHECK(error.may_be_done);
  CHECK(error.hint.find("may have counted") != std::string::npos);
  CHECK(session.logins == 0);
}

TEST_CASE("a session that talks nonsense instead of a signature may have had it made",
          "[session]") {
  ShortSession session([](Link& link) {
    static_cast<void>(link.receive(kSoon));
    static_cast<void>(link.send(Bytes(3, 0xFF)));
  });

  CHECK(session.refusal().may_be_done);
}

TEST_CASE("a session that goes without having read the question has done nothing", "[session]") {
  ShortSession session(
      [](Link& /*link*/) { std::this_thread::sleep_for(std::chrono::milliseconds(300)); });

  const Error error = session.refusal();

  CHECK(error.kind == ErrorKind::network);
  CHECK_FALSE(error.may_be_done);
  CHECK(error.hint.empty());
}

#endif
