// SPDX-License-Identifier: Apache-2.0
#include "providers/common/renewing.hpp"

#include "providers/common/signing_key.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace signctl::test {
namespace {

using providers::Renewal;
using providers::Renewing;

struct Ticket {
  int number{};
  std::optional<TimePoint> expires{};
};

/// Hands out numbered tickets that live for an hour, or an error in their place.
struct Office {
  FakeWorld world;
  std::atomic<int> issued{0};
  std::optional<Error> trouble{};
  std::chrono::seconds life{3600};

  Renewing<Ticket>::Fetch fetch() {
    return [this]() -> Result<Ticket> {
      if (trouble) {
        return *trouble;
      }
      return Ticket{++issued, world.clock.now() + life};
    };
  }
};

}  // namespace

TEST_CASE("renewing: many threads make one login", "[providers][common]") {
  FakeWorld world;
  std::atomic<int> logins{0};
  Renewing<Ticket> renewing(world.clock, Renewal::possible, [&]() -> Result<Ticket> {
    ++logins;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    return Ticket{1};
  });

  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { static_cast<void>(renewing.get()); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  CHECK(logins == 1);
}

TEST_CASE("renewing: a credential is had again five minutes before its end",
          "[providers][common]") {
  Office office;
  Renewing<Ticket> renewing(office.world.clock, Renewal::possible, office.fetch());
  CHECK(must(renewing.get()).number == 1);

  office.world.clock.sleep_for(std::chrono::seconds{3299});
  CHECK(must(renewing.get()).number == 1);

  office.world.clock.sleep_for(std::chrono::seconds{1});
  CHECK(must(renewing.get()).number == 2);
}

TEST_CASE("renewing: a short life is used for three quarters", "[providers][common]") {
  Office office;
  office.life = std::chrono::seconds{60};
  Renewing<Ticket> renewing(office.world.clock, Renewal::possible, office.fetch());
  must(renewing.get());

  office.world.clock.sleep_for(std::chrono::seconds{44});
  CHECK(must(renewing.get()).number == 1);

  office.world.clock.sleep_for(std::chrono::seconds{1});
  CHECK(must(renewing.get()).number == 2);
}

TEST_CASE("renewing: while the login service is away the old credential serves to its end",
          "[providers][common]") {
  Office office;
  Renewing<Ticket> renewing(office.world.clock, Renewal::possible, office.fetch());
  must(renewing.get());
  office.world.clock.sleep_for(std::chrono::seconds{3400});
  office.trouble = Error{ErrorKind::network, "away"};
  CHECK(must(renewing.get()).number == 1);

  office.world.clock.sleep_for(std::chrono::seconds{200});
  CHECK_FALSE(renewing.get().has_value());

  office.trouble.reset();
  CHECK(must(renewing.get()).number == 2);
}

TEST_CASE("renewing: a refused login is no reason to go on with the old credential",
          "[providers][common]") {
  Office office;
  Renewing<Ticket> renewing(office.world.clock, Renewal::possible, office.fetch());
  must(renewing.get());
  office.world.clock.sleep_for(std::chrono::seconds{3400});
  office.trouble = Error{ErrorKind::auth, "revoked"};

  CHECK(renewing.get().error().kind == ErrorKind::auth);
}

TEST_CASE("renewing: one refusal seen by two threads makes one new login", "[providers][common]") {
  Office office;
  Renewing<Ticket> renewing(office.world.clock, Renewal::possible, office.fetch());
  must(renewing.get());
  std::thread([&] {
    must(renewing.get());
    CHECK(renewing.renew());
    CHECK(must(renewing.get()).number == 2);
  }).join();

  // This thread was refused with the first ticket; the second is there already.
  CHECK(renewing.renew());
  CHECK(must(renewing.get()).number == 2);

  CHECK(renewing.renew());
  CHECK(must(renewing.get()).number == 3);
}

TEST_CASE("renewing: what cannot be had again is kept", "[providers][common]") {
  Office office;
  Renewing<Ticket> renewing(office.world.clock, Renewal::pointless, office.fetch());
  must(renewing.get());

  CHECK_FALSE(renewing.renew());
  office.world.clock.sleep_for(std::chrono::hours{2});
  CHECK(must(renewing.get()).number == 1);
}

TEST_CASE("public keys: PEM is read and nonsense is not", "[providers][common]") {
  using providers::spki_from_pem;
  const std::string good = "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n";

  CHECK(spki_from_pem(good) == Bytes{1, 2, 3});
  CHECK(spki_from_pem("text before\n" + good) == Bytes{1, 2, 3});
  for (const std::string& bad :
       {std::string(),
        std::string("-----BEGIN PUBLIC KEY-----"),
        std::string("-----END PUBLIC KEY----------BEGIN PUBLIC KEY-----"),
        std::string("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"),
        std::string("-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----"),
        good.substr(0, good.size() - 8)}) {
    INFO(bad);
    CHECK_FALSE(spki_from_pem(bad));
  }
}

}  // namespace signctl::test
