// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"
#include "mock_token.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <signctl/worker.hpp>

#include <chrono>
#include <thread>

namespace signctl::test {
namespace {

const Bytes& some_digest() {
  static const Bytes digest = crypto::hash(DigestAlg::sha256, {});
  return digest;
}

Result<SignedDigest> sign(SigningSession& session) {
  return session.sign(some_digest(), DigestAlg::sha256);
}

ProviderSettings with(ProviderSettings settings, const std::string& key, const std::string& value) {
  settings.values[key] = value;
  return settings;
}

const Finding* find(const std::vector<Finding>& findings, const std::string& id) {
  for (const Finding& finding : findings) {
    if (finding.id == id) {
      return &finding;
    }
  }
  return nullptr;
}

}  // namespace

TEST_CASE("pkcs11: one login serves any number of sessions and signatures", "[providers][pkcs11]") {
  MockToken token;
  const auto first = must(token.open());
  const auto second = must(first->another());
  const auto third = must(second->another());

  must(sign(*second));
  must(sign(*third));
  must(sign(*second));

  CHECK(token.calls("C_Login") == 1);
  CHECK(token.calls("C_Initialize") == 1);
  CHECK(token.calls("C_Sign") == 3);
}

TEST_CASE("pkcs11: sessions sign at the same time from several threads", "[providers][pkcs11]") {
  MockToken token({}, crypto::PrivateKey::Spec::p256);
  const auto first = must(token.open());
  std::vector<std::unique_ptr<SigningSession>> sessions;
  for (int i = 0; i < 8; ++i) {
    sessions.push_back(must(first->another()));
  }

  std::vector<std::thread> threads;
  std::vector<int> good(sessions.size());
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        good[i] += sign(*sessions[i]) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  CHECK(good == std::vector<int>(8, 5));
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a module that cannot lock is used by one thread at a time",
          "[providers][pkcs11]") {
  MockToken token(Behaviour{{"cant_lock", "1"}});
  const auto first = must(token.open());
  const auto second = must(first->another());

  bool good = false;
  std::thread other([&] { good = sign(*second).has_value(); });
  CHECK(sign(*first));
  other.join();
  CHECK(good);
}

TEST_CASE("pkcs11: a token with a single session is shared by all threads", "[providers][pkcs11]") {
  MockToken token(Behaviour{{"max_sessions", "1"}});
  const auto first = must(token.open());
  const auto second = must(first->another());

  CHECK(must(sign(*first)).signature == must(sign(*second)).signature);
}

TEST_CASE("pkcs11: a wrong PIN costs one try, whoever asks again and however often",
          "[providers][pkcs11][pin]") {
  MockToken token;
  std::vector<std::thread> threads;
  std::vector<ErrorKind> kinds(8, ErrorKind::internal);
  for (ErrorKind& kind : kinds) {
    threads.emplace_back([&] {
      const auto session = token.open(token.settings(kMockWrongPin));
      kind = session ? ErrorKind::internal : session.error().kind;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(kinds == std::vector<ErrorKind>(8, ErrorKind::auth));
  const auto findings = token.diagnose(token.settings(kMockWrongPin));

  CHECK(token.calls("C_Login") == 1);
  CHECK(token.tries_left() == 2);
  REQUIRE(find(findings, "pkcs11-login") != nullptr);
  CHECK(find(findings, "pkcs11-login")->severity == Severity::error);
  // Not even the right one is sent then.
  const auto right = token.open();
  REQUIRE_FALSE(right);
  CHECK(right.error().kind == ErrorKind::auth);
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: signers on the same token log in once between them",
          "[providers][pkcs11][pin]") {
  MockToken token;
  const auto first = must(token.open());
  const auto second = must(token.open());

  CHECK(sign(*first));
  CHECK(sign(*second));

  CHECK(token.calls("C_Initialize") == 1);
  CHECK(token.calls("C_Login") == 1);
  const auto other = token.open(token.settings(kMockWrongPin));
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::auth);
  CHECK(token.calls("C_Login") == 1);
  CHECK(token.tries_left() == 3);
}

TEST_CASE("pkcs11: signers on the same token outlive a driver that one of them has stopped",
          "[providers][pkcs11][recovery]") {
  MockToken token(Behaviour{{"error", "C_Sign:0x80000123:2"}});
  const auto first = must(token.open());
  const auto second = must(token.open());

  CHECK(sign(*first));  // By a new driver.
  CHECK(sign(*second));
  CHECK(sign(*first));

  CHECK(token.calls("C_Initialize") == 2);
}

TEST_CASE("pkcs11: who examines a token may go on with its login",
          "[providers][pkcs11][diagnose]") {
  MockToken token;

  const auto examined = find_provider("pkcs11")->examine(token.settings(), token.world());

  REQUIRE(examined.session);
  CHECK(sign(*examined.session));
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a token without a free session is busy, and no PIN is spent on it",
          "[providers][pkcs11][pin]") {
  const auto value = GENERATE("0xb1", "0x201");  // CKR_SESSION_COUNT, CKR_TOKEN_RESOURCE_EXCEEDED
  INFO(value);
  MockToken token(Behaviour{{"error", std::string("C_OpenSession:") + value + ":9"}});

  const auto refused = token.open();

  REQUIRE_FALSE(refused);
  INFO(text_of(refused.error()));
  CHECK(refused.error().kind == ErrorKind::network);
  CHECK(refused.error().hint.find("no session left") != std::string::npos);
  CHECK(token.calls("C_Login") == 0);
  token.behave({});
  CHECK(token.open().has_value());
}

TEST_CASE("pkcs11: a login that fails for want of resources is no refused PIN",
          "[providers][pkcs11][pin]") {
  const auto value = GENERATE("0xb1", "0x31", "0x5");  // sessions, device memory, general error
  MockToken token(Behaviour{{"error", std::string("C_Login:") + value + ":9"}});

  const auto refused = token.open();

  REQUIRE_FALSE(refused);
  INFO(text_of(refused.error()));
  CHECK(refused.error().kind == ErrorKind::provider);
  CHECK(refused.error().message.find("could not log in") != std::string::npos);
  // The driver had the PIN, whatever it did with it.
  CHECK(token.calls("C_Login") == 1);
  CHECK_FALSE(token.open());
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: the last try is not spent unless that is allowed", "[providers][pkcs11][pin]") {
  MockToken token;
  token.set_tries_left(1);

  const auto refused = token.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::auth);
  CHECK(refused.error().message.find("only one PIN try is left") != std::string::npos);
  CHECK(token.calls("C_Login") == 0);
  const auto findings = token.diagnose(token.settings());
  CHECK(token.calls("C_Login") == 0);
  REQUIRE(find(findings, "pkcs11-pin-count") != nullptr);
  CHECK(find(findings, "pkcs11-pin-count")->severity == Severity::error);

  const auto session = must(token.open(with(token.settings(), "allow_final_pin_try", "yes")));
  CHECK(sign(*session));
  CHECK(token.tries_left() == 3);
}

TEST_CASE("pkcs11: nothing is sent to a locked token, or to one whose PIN must be changed",
          "[providers][pkcs11][pin]") {
  MockToken locked;
  locked.set_tries_left(0);
  const auto allowed = with(locked.settings(), "allow_final_pin_try", "yes");
  CHECK(locked.open(allowed).error().message.find("is locked") != std::string::npos);
  CHECK(locked.calls("C_Login") == 0);

  MockToken expired(Behaviour{{"to_be_changed", "1"}});
  CHECK(expired.open().error().message.find("must be changed") != std::string::npos);
  CHECK(expired.calls("C_Login") == 0);
}

TEST_CASE("pkcs11: a low count lets the configured PIN through once", "[providers][pkcs11][pin]") {
  MockToken token;
  token.set_tries_left(2);

  const auto wrong = token.open(token.settings(kMockWrongPin));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("one try is left") != std::string::npos);
  CHECK(token.tries_left() == 1);
  // From here on not even the right one: the next failure would lock it.
  CHECK_FALSE(token.open());
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a token that wants a PIN and gets none says so", "[providers][pkcs11][pin]") {
  MockToken token;

  const auto session = token.open(token.settings(""));

  REQUIRE_FALSE(session);
  CHECK(session.error().kind == ErrorKind::auth);
  CHECK(session.error().hint.find("set pin") != std::string::npos);
  CHECK(token.calls("C_Login") == 0);
}

TEST_CASE("pkcs11: a pin pad is asked without a PIN, even if one is set",
          "[providers][pkcs11][pin]") {
  MockToken token(Behaviour{{"protected", "1"}});

  const auto session = must(token.open(token.settings(kMockWrongPin)));

  CHECK(sign(*session));
  CHECK(token.tries_left() == -1);
}

TEST_CASE("pkcs11: a key that always asks gets the PIN with each signature",
          "[providers][pkcs11][pin]") {
  MockToken token(Behaviour{{"always_authenticate", "1"}});
  const auto first = must(token.open());
  const auto second = must(first->another());

  bool good = false;
  std::thread other([&] { good = sign(*second).has_value(); });
  CHECK(sign(*first));
  other.join();
  CHECK(good);
  CHECK(sign(*first));

  CHECK(token.calls("C_Login") == 1);
  CHECK(token.calls("C_Login context") == 3);
}

TEST_CASE("pkcs11: a PIN that a signature's own login refuses is not sent again",
          "[providers][pkcs11][pin]") {
  // Without the flag the first login is that of the signature.
  MockToken token(Behaviour{{"always_authenticate", "1"}, {"tries", "5"}});
  const auto first = must(token.open());
  const auto second = must(first->another());
  token.set_tries_left(1);

  CHECK_FALSE(sign(*first));
  CHECK_FALSE(sign(*second));

  CHECK(token.calls("C_Login context") == 0);
  CHECK(token.tries_left() == 1);
}

TEST_CASE("pkcs11: a token that shows its keys only after login is logged in to, flag or not",
          "[providers][pkcs11][pin]") {
  MockToken token(Behaviour{{"no_login_flag", "1"}});

  const auto session = must(token.open());

  CHECK(sign(*session));
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a token that is taken out and put back goes on signing",
          "[providers][pkcs11][recovery]") {
  MockToken token(Behaviour{{"remove_after", "2"}, {"back_after", "4"}});
  const auto first = must(token.open());
  const auto second = must(first->another());

  for (int i = 0; i < 3; ++i) {
    CHECK(sign(*first));
    CHECK(sign(*second));
  }

  CHECK(token.calls("token is back") == 1);
  CHECK(token.calls("C_Login") == 2);
}

TEST_CASE("pkcs11: a token that stays away is an error that may be tried again",
          "[providers][pkcs11][recovery]") {
  MockToken token(Behaviour{{"remove_after", "1"}, {"back_after", "1000"}});
  const auto session = must(token.open());
  must(sign(*session));

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::network);
  CHECK(result.error().message.find("has not come back") != std::string::npos);
  CHECK(token.calls("C_Login") == 1);

  // Whoever tries again is told the same, and not that the driver were broken.
  const auto again = sign(*session);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::network);
  CHECK(again.error().message.find("driver has failed") == std::string::npos);
}

TEST_CASE("pkcs11: a PIN that somebody spoiled meanwhile is not sent to the token put back",
          "[providers][pkcs11][recovery][pin]") {
  MockToken token(Behaviour{{"remove_after", "1"}, {"back_after", "1"}});
  const auto session = must(token.open());
  must(sign(*session));
  token.set_tries_left(2);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::auth);
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: errors of the device get a new session, then a new driver",
          "[providers][pkcs11][recovery]") {
  MockToken once(Behaviour{{"error", "C_Sign:0x30:1"}});
  CHECK(sign(*must(once.open())));
  CHECK(once.calls("C_Initialize") == 1);

  MockToken twice(Behaviour{{"error", "C_Sign:0x80000123:2"}});
  const auto session = must(twice.open());
  CHECK(sign(*session));
  CHECK(twice.calls("C_Initialize") == 2);
}

TEST_CASE("pkcs11: what no retry can help is not tried again", "[providers][pkcs11][recovery]") {
  struct Row {
    const char* error;
    ErrorKind kind;
  };
  const auto row = GENERATE(values<Row>({{"C_Sign:0x70:9", ErrorKind::unsupported},
                                         {"C_Sign:0x50:9", ErrorKind::auth},
                                         {"C_Sign:0x203:9", ErrorKind::provider}}));
  INFO(row.error);
  MockToken token(Behaviour{{"error", row.error}});
  const auto session = must(token.open());

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == row.kind);
  CHECK(token.calls("C_Sign") == 1);
}

TEST_CASE("pkcs11: a driver that hangs is cut off by the deadline", "[providers][pkcs11][worker]") {
  MockToken token(Behaviour{{"hang", "C_Sign"}});
  const auto first = must(token.open(with(token.settings(), "timeout", "2s")));
  const auto second = must(first->another());
  const auto begun = std::chrono::steady_clock::now();

  bool good = true;
  std::thread other([&] { good = sign(*second).has_value(); });
  const auto result = sign(*first);
  other.join();
  CHECK_FALSE(good);

  REQUIRE_FALSE(result);
  INFO(text_of(result.error()));
  CHECK(result.error().kind == ErrorKind::network);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(20));
  CHECK(token.calls("C_Initialize") == 2);
  const auto later = sign(*first);
  REQUIRE_FALSE(later);
  CHECK(later.error().kind == ErrorKind::network);
  CHECK(token.calls("C_Initialize") == 2);
}

TEST_CASE("pkcs11: a login that hangs is neither waited for nor repeated",
          "[providers][pkcs11][worker][pin]") {
  MockToken token(Behaviour{{"hang", "C_Login"}});
  const auto settings = with(token.settings(), "timeout", "2s");

  const auto first = token.open(settings);
  const auto second = token.open(settings);

  REQUIRE_FALSE(first);
  CHECK(first.error().kind == ErrorKind::network);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::network);
  CHECK(second.error().message.find("hung in this run when it had the PIN") != std::string::npos);
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a driver that hangs with the PIN of a signature is not given it again",
          "[providers][pkcs11][worker][pin]") {
  MockToken token(Behaviour{{"hang", "C_Sign"}, {"always_authenticate", "1"}});
  const auto session = must(token.open(with(token.settings(), "timeout", "2s")));

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  INFO(text_of(result.error()));
  CHECK(result.error().kind == ErrorKind::network);
  CHECK(result.error().message.find("did not answer") != std::string::npos);
  CHECK(result.error().hint.find("whether the PIN was counted is unknown") != std::string::npos);
  const auto later = sign(*session);
  REQUIRE_FALSE(later);
  INFO(text_of(later.error()));
  CHECK(later.error().kind == ErrorKind::network);
  CHECK(text_of(later.error()).find("hung") != std::string::npos);
  const auto reopened = token.open(with(token.settings(), "timeout", "2s"));
  REQUIRE_FALSE(reopened);
  CHECK(text_of(reopened.error()).find("hung in this run when it had the PIN") !=
        std::string::npos);
  CHECK(token.calls("C_Login context") == 1);
  CHECK(token.calls("C_Login") == 1);
}

TEST_CASE("pkcs11: a driver that crashes takes nothing along", "[providers][pkcs11][worker]") {
  MockToken token(Behaviour{{"crash", "C_Sign"}});
  const auto session = must(token.open());

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  INFO(text_of(result.error()));
  CHECK(text_of(result.error()).find("crashed (signal 6)") != std::string::npos);
  CHECK(result.error().kind == ErrorKind::provider);
  token.behave({});
  CHECK(sign(*must(token.open())));
}

TEST_CASE("pkcs11: a driver that hangs while it is loaded is cut off",
          "[providers][pkcs11][worker]") {
  MockToken token(Behaviour{{"hang", "C_Initialize"}});

  const auto session = token.open(with(token.settings(), "timeout", "2s"));

  REQUIRE_FALSE(session);
  CHECK(session.error().kind == ErrorKind::network);
}

TEST_CASE("pkcs11: without a worker program the driver runs inside this one",
          "[providers][pkcs11][worker]") {
  MockToken token;
  set_worker_program("");
  {
    const auto first = must(token.open());
    const auto second = must(first->another());
    CHECK(sign(*first));
    CHECK(sign(*second));
    CHECK(find(token.diagnose(token.settings()), "pkcs11-not-isolated") != nullptr);
  }
  CHECK(token.calls("C_Finalize") >= 1);
  set_worker_program(SIGNCTL_BINARY);
}

TEST_CASE("pkcs11: a worker that cannot be started is an error", "[providers][pkcs11][worker]") {
  MockToken token;
  set_worker_program("/nonexistent/signctl");

  const auto session = token.open();

  set_worker_program(SIGNCTL_BINARY);
  REQUIRE_FALSE(session);
  CHECK(session.error().kind == ErrorKind::provider);
}

TEST_CASE("pkcs11: a program that is no worker is found out", "[providers][pkcs11][worker]") {
  MockToken token;
  set_worker_program("/bin/cat");  // Sends back what it gets, which is no reply.

  const auto session = token.open(with(token.settings(), "timeout", "2s"));

  set_worker_program(SIGNCTL_BINARY);
  REQUIRE_FALSE(session);
}

TEST_CASE("pkcs11: a signature that does not verify is refused", "[providers][pkcs11]") {
  const auto spec = GENERATE(crypto::PrivateKey::Spec::rsa2048, crypto::PrivateKey::Spec::p384);
  MockToken token(Behaviour{{"wrong_signature", "1"}}, spec);
  const auto session = must(token.open());

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::provider);
}

TEST_CASE(
    "pkcs11: a token that signs no digest as Authenticode wants it is refused, with what it "
    "does",
    "[providers][pkcs11]") {
  struct Row {
    crypto::PrivateKey::Spec key;
    const char* mechanisms;
    const char* said;
    const char* hint;
  };
  using Spec = crypto::PrivateKey::Spec;
  const auto row = GENERATE(values<Row>(
      {{Spec::rsa2048, "0xd,0x43,0x1041", "CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS", "RSA-PSS"},
       {Spec::rsa2048, "0x40,0x42", "CKM_SHA256_RSA_PKCS, CKM_SHA512_RSA_PKCS", "FIPS"},
       {Spec::p256, "0x1044,0x1", "CKM_ECDSA_SHA256", "FIPS"}}));
  INFO(row.mechanisms);
  MockToken token(Behaviour{{"mechanisms", row.mechanisms}}, row.key);

  const auto findings = token.diagnose(token.settings());
  const auto result = sign(*must(token.open()));

  REQUIRE_FALSE(result);
  INFO(text_of(result.error()));
  CHECK(result.error().kind == ErrorKind::unsupported);
  CHECK(result.error().message.find(std::string("signs with ") + row.said + " and not with") !=
        std::string::npos);
  CHECK(result.error().hint.find(row.hint) != std::string::npos);
  CHECK(token.calls("C_Sign") == 0);
  const Finding* told = find(findings, "mechanism-untried");
  REQUIRE(told != nullptr);
  CHECK(told->severity == Severity::warning);
  CHECK(told->message.find(row.said) != std::string::npos);
}

TEST_CASE("pkcs11: a key that its token limits to RSA-PSS is refused when it is opened",
          "[providers][pkcs11]") {
  MockToken token(Behaviour{{"allowed", "0xd,0x43"}});

  const auto opened = token.open();
  const auto findings = token.diagnose(token.settings());

  REQUIRE_FALSE(opened);
  INFO(text_of(opened.error()));
  CHECK(opened.error().kind == ErrorKind::unsupported);
  CHECK(opened.error().message.find(
            "signs with CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS and not") != std::string::npos);
  CHECK(token.calls("C_SignInit") == 0);
  const Finding* told = find(findings, "pkcs11-key");
  REQUIRE(told != nullptr);
  CHECK(std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.severity == Severity::error && finding.kind == ErrorKind::unsupported;
  }));
}

TEST_CASE("pkcs11: a key that its token limits to what signctl uses signs", "[providers][pkcs11]") {
  MockToken token(Behaviour{{"allowed", "0xd,0x1"}});

  must(sign(*must(token.open())));
}

TEST_CASE("pkcs11: tokens with equal labels are told apart by serial", "[providers][pkcs11]") {
  MockToken token(Behaviour{{"twins", "1"}});

  const auto ambiguous = token.open();
  REQUIRE_FALSE(ambiguous);
  CHECK(ambiguous.error().kind == ErrorKind::config);
  CHECK(ambiguous.error().message.find(token.serial()) != std::string::npos);

  CHECK(sign(*must(token.open(with(token.settings(), "serial", token.serial())))));
}

TEST_CASE("pkcs11: a slot without an initialised token does not count", "[providers][pkcs11]") {
  MockToken token(Behaviour{{"uninitialized", "1"}});

  CHECK(sign(*must(token.open())));
}

TEST_CASE("pkcs11: diagnosis tells module, token, key, chain and expiry",
          "[providers][pkcs11][diagnose]") {
  MockToken token;

  const auto findings = token.diagnose(token.settings());

  for (const char* id : {"pkcs11-module",
                         "pkcs11-slot",
                         "pkcs11-pin-count",
                         "pkcs11-login",
                         "pkcs11-key",
                         "pkcs11-mechanism",
                         "pkcs11-chain"}) {
    INFO(id);
    REQUIRE(find(findings, id) != nullptr);
    CHECK(find(findings, id)->severity == Severity::info);
  }
  CHECK(token.calls("C_Sign") == 0);
}

}  // namespace signctl::test
