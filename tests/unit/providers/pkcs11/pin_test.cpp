// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/pin.hpp"

#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/login_lock.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <random>

namespace signctl::test {
namespace {

using namespace providers::pkcs11;  // NOLINT(google-build-using-namespace): test

constexpr std::uint64_t kUser = 1;

Token token_with(ck::Ulong flags) {
  static int count = 0;
  Token token;
  token.label = "Token";
  token.serial = "PIN" + std::to_string(++count);
  token.flags = flags | ck::kLoginRequired | ck::kUserPinInitialized;
  return token;
}

}  // namespace

TEST_CASE("pkcs11 pin: the token's flags decide whether anything is sent",
          "[providers][pkcs11][pin]") {
  struct Row {
    std::string what;
    ck::Ulong flags;
    LastTry last_try;
    Login which;
    bool allowed;
  };
  const auto row = GENERATE(values<Row>({
      {"fresh", 0, LastTry::refuse, Login::first, true},
      {"low", ck::kUserPinCountLow, LastTry::refuse, Login::first, true},
      {"low again", ck::kUserPinCountLow, LastTry::refuse, Login::again, false},
      {"low again, told", ck::kUserPinCountLow, LastTry::allow, Login::again, false},
      {"final", ck::kUserPinFinalTry, LastTry::refuse, Login::first, false},
      {"final again", ck::kUserPinFinalTry, LastTry::refuse, Login::again, false},
      {"final, told", ck::kUserPinFinalTry, LastTry::allow, Login::first, true},
      {"final and low",
       ck::kUserPinFinalTry | ck::kUserPinCountLow,
       LastTry::refuse,
       Login::first,
       false},
      {"locked", ck::kUserPinLocked, LastTry::refuse, Login::first, false},
      {"locked, told", ck::kUserPinLocked, LastTry::allow, Login::first, false},
      {"to be changed", ck::kUserPinToBeChanged, LastTry::allow, Login::first, false},
  }));
  INFO(row.what);

  const auto objection = objection_to_login(token_with(row.flags), row.last_try, row.which);

  CHECK(objection.has_value() != row.allowed);
  if (objection) {
    CHECK(objection->kind == ErrorKind::auth);
    CHECK_FALSE(objection->hint.empty());
  }
}

TEST_CASE("pkcs11 pin: the security officer's counters are not the user's",
          "[providers][pkcs11][pin]") {
  const Token token = token_with(0x100000 | 0x200000 | 0x400000);

  CHECK_FALSE(objection_to_login(token, LastTry::refuse, Login::first));
  CHECK(pin_finding(token, LastTry::refuse).severity == Severity::info);
}

TEST_CASE("pkcs11 pin: doctor's finding weighs as much as what signing would do",
          "[providers][pkcs11][pin]") {
  CHECK(pin_finding(token_with(0), LastTry::refuse).severity == Severity::info);
  CHECK(pin_finding(token_with(ck::kUserPinCountLow), LastTry::refuse).severity ==
        Severity::warning);
  CHECK(pin_finding(token_with(ck::kUserPinFinalTry), LastTry::refuse).severity == Severity::error);
  CHECK(pin_finding(token_with(ck::kUserPinFinalTry), LastTry::allow).severity ==
        Severity::warning);
  CHECK(pin_finding(token_with(ck::kUserPinLocked), LastTry::allow).severity == Severity::error);
}

TEST_CASE("pkcs11 pin: what was sent and not accepted is not sent again",
          "[providers][pkcs11][pin]") {
  const Token token = token_with(0);
  PinLedger ledger;
  {
    auto turn = ledger.take(token, kUser);
    CHECK(must(turn.check(Secret("a"))) == PinTrust::untried);
    turn.sent(Secret("a"));  // Nothing came back.
  }
  auto turn = ledger.take(token, kUser);

  const auto again = turn.check(Secret("a"));

  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::auth);
  // Nor any other, which may be wrong as well; a token has so many tries, and not each PIN.
  const auto other = turn.check(Secret("b"));
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::auth);
  CHECK(must(ledger.take(token_with(0), kUser).check(Secret("a"))) == PinTrust::untried);
}

TEST_CASE("pkcs11 pin: an accepted PIN may be sent again until it is refused",
          "[providers][pkcs11][pin]") {
  const std::optional<Secret> pin = Secret("a");
  PinLedger ledger;
  auto turn = ledger.take(token_with(0), kUser);
  turn.sent(pin);
  turn.accepted(pin);
  CHECK(must(turn.check(pin)) == PinTrust::accepted);

  turn.sent(pin);

  CHECK_FALSE(turn.check(pin));
}

TEST_CASE("pkcs11 pin: beside a PIN that was accepted no other is sent",
          "[providers][pkcs11][pin]") {
  const Token token = token_with(0);
  PinLedger ledger;
  {
    auto turn = ledger.take(token, kUser);
    turn.sent(Secret("a"));
    turn.accepted(Secret("a"));
    const auto other = turn.check(Secret("b"));
    REQUIRE_FALSE(other);
    CHECK(other.error().message.find("has accepted another PIN") != std::string::npos);
  }
  // Another user has a PIN of his own.
  constexpr std::uint64_t kCryptoUser = 0x80000001;
  auto turn = ledger.take(token, kCryptoUser);
  CHECK(must(turn.check(Secret("b"))) == PinTrust::untried);
  turn.sent(Secret("b"));
  CHECK_FALSE(turn.check(Secret("c")));
}

TEST_CASE("pkcs11 pin: a pin pad that was refused is not asked again", "[providers][pkcs11][pin]") {
  PinLedger ledger;
  auto turn = ledger.take(token_with(ck::kProtectedAuthenticationPath), kUser);
  turn.sent(std::nullopt);

  CHECK_FALSE(turn.check(std::nullopt));
  CHECK_FALSE(turn.check(Secret("")));
}

TEST_CASE("pkcs11 pin: a token that was logged in to already has not looked at it",
          "[providers][pkcs11][pin]") {
  PinLedger ledger;
  auto turn = ledger.take(token_with(0), kUser);
  turn.sent(Secret("a"));
  turn.not_looked_at(Secret("a"));

  CHECK(must(turn.check(Secret("a"))) == PinTrust::untried);
}

TEST_CASE("pkcs11 pin: tokens are told apart by all that names them", "[providers][pkcs11][pin]") {
  Token one;
  one.label = "ab";
  one.serial = "c";
  Token other;
  other.label = "a";
  other.serial = "bc";
  CHECK(identity_of(one) != identity_of(other));
}

TEST_CASE("pkcs11 pin: one login at a time to a token, and no waiting for ever",
          "[providers][pkcs11][pin]") {
  const std::string name = "test" + std::to_string(std::random_device{}());
  const std::chrono::milliseconds limit{30};
  auto first = take_login_lock(name, limit);
  REQUIRE(first.outcome == LockOutcome::held);

  CHECK(take_login_lock(name, limit).outcome == LockOutcome::busy);
  CHECK(take_login_lock(name + "other", limit).outcome == LockOutcome::held);
  first.lock.reset();
  CHECK(take_login_lock(name, limit).outcome == LockOutcome::held);
}

}  // namespace signctl::test
