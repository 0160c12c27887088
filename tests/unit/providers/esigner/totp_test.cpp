// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/totp.hpp"

#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"

#include <set>

namespace signctl::test {
namespace {

using providers::esigner::decode_totp_secret;
using providers::esigner::OneTimePasswords;
using providers::esigner::totp_code;
using providers::esigner::totp_step;

TimePoint at(std::int64_t seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}

constexpr const char* kBase64 = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";
constexpr const char* kBase32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

Secret key() {
  return Secret("12345678901234567890");
}

}  // namespace

TEST_CASE("totp: the vectors of RFC 6238, appendix B, in six digits", "[providers][esigner]") {
  const std::vector<std::pair<std::int64_t, std::string>> vectors{{59, "287082"},
                                                                  {1111111109, "081804"},
                                                                  {1111111111, "050471"},
                                                                  {1234567890, "005924"},
                                                                  {2000000000, "279037"},
                                                                  {20000000000, "353130"}};
  for (const auto& [time, code] : vectors) {
    INFO(time);
    CHECK(totp_code(key(), totp_step(at(time))) == code);
  }
}

TEST_CASE("totp: a key of 32 bytes, as SSL.com gives them", "[providers][esigner]") {
  const Secret secret =
      must(decode_totp_secret(Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), ""));

  CHECK(secret.reveal().size() == 32);
  CHECK(totp_code(secret, totp_step(at(59))) == "555770");
  CHECK(totp_code(secret, totp_step(at(1767225600))) == "985336");
}

TEST_CASE("totp: secrets are taken as base64 and as base32", "[providers][esigner]") {
  const auto decoded = [](const char* text, const char* format) {
    return std::string(must(decode_totp_secret(Secret(text), format)).reveal());
  };
  const std::string plain(key().reveal());

  CHECK(decoded(kBase64, "") == plain);
  CHECK(decoded(kBase64, "auto") == plain);
  CHECK(decoded(kBase64, "base64") == plain);
  CHECK(decoded(kBase32, "") == plain);
  CHECK(decoded(kBase32, "base32") == plain);
  CHECK(decoded("gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "base32") == plain);
  // Good base32 as it is; base64 when it is called so.
  CHECK(decoded(kBase32, "base64") != plain);
}

TEST_CASE("totp: what is no secret is refused, and not repeated", "[providers][esigner]") {
  for (const char* text : {"123456", "not a secret!", "hunter2", "AAECAwQF", "GEZDGNBV"}) {
    INFO(text);
    const auto result = decode_totp_secret(Secret(text), "");

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::auth);
    CHECK_FALSE(result.error().hint.empty());
    CHECK(result.error().message.find(text) == std::string::npos);
  }
  CHECK(decode_totp_secret(Secret(kBase32), "hex").error().kind == ErrorKind::config);
}

TEST_CASE("totp: no password is given twice, and the next step is waited for",
          "[providers][esigner]") {
  FakeClock clock(at(1'800'000'010));
  OneTimePasswords passwords(key(), clock);
  std::set<std::string> given;

  CHECK(passwords.next(std::chrono::seconds{0}) == totp_code(key(), 60'000'000));
  CHECK(clock.now() == at(1'800'000'010));
  for (std::uint64_t step = 60'000'001; step < 60'000'006; ++step) {
    const std::string code = passwords.next(std::chrono::seconds{0});

    CHECK(code == totp_code(key(), step));
    CHECK(totp_step(clock.now()) == step);
    given.insert(code);
  }
  CHECK(given.size() == 5);
}

TEST_CASE("totp: passwords are made by the service's clock", "[providers][esigner]") {
  for (const int ahead : {-90, -30, 0, 30, 90, 86'400}) {
    INFO(ahead);
    FakeClock clock(at(1'800'000'010));
    OneTimePasswords passwords(key(), clock);

    CHECK(passwords.next(std::chrono::seconds{ahead}) ==
          totp_code(key(), totp_step(at(1'800'000'010 + ahead))));
  }
}

TEST_CASE("totp: the ends of a step are avoided, because clocks tell whole seconds",
          "[providers][esigner]") {
  for (int into = 0; into < 30; ++into) {
    INFO(into);
    FakeClock clock(at(1'800'000'000 + into));
    OneTimePasswords passwords(key(), clock);

    (void)passwords.next(std::chrono::seconds{0});

    const auto used = clock.now().time_since_epoch().count() % 30;
    CHECK(used >= 1);
    CHECK(used < 28);
  }
}

TEST_CASE("totp: a clock that is set back does not bring a password back", "[providers][esigner]") {
  FakeClock clock(at(1'800'000'010));
  OneTimePasswords passwords(key(), clock);
  const std::string first = passwords.next(std::chrono::seconds{0});

  const std::string second = passwords.next(std::chrono::seconds{-60});

  CHECK(second != first);
  CHECK(second == totp_code(key(), 60'000'001));
}

}  // namespace signctl::test
