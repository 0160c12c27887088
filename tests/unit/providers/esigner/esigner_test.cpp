// SPDX-License-Identifier: Apache-2.0
#include "fake/esigner.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/rig.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;
namespace sslcom = fake::esigner;

constexpr const char* kAuthorize = "POST /esigner/csc/v0/credentials/authorize";
constexpr const char* kSignHash = "POST /esigner/csc/v0/signatures/signHash";
constexpr const char* kInfo = "POST /esigner/csc/v0/credentials/info";
constexpr const char* kToken = "POST /esigner/oauth2/token";
constexpr const char* kScan = "POST /esigner/scan/hash";

/// One for the whole program, because making keys takes time; faults and counts begin anew, and so
/// do the one-time passwords.
fake::Rig& rig() {
  static fake::Rig made({"esigner"});
  made.lab.clear_faults();
  made.lab.forget();
  made.lab.set_clock_offset(std::chrono::seconds{0});
  made.clock.sleep_for(std::chrono::minutes{10});
  return made;
}

ProviderSettings settings_for(fake::Rig& world, const std::string& id) {
  return with(world.settings("esigner"), "credential_id", id);
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("esigner")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session, const std::string& content = "content") {
  return session.sign(crypto::hash(DigestAlg::sha256, as_bytes(content)), DigestAlg::sha256);
}

Fault refuse(const std::string& match, int status, const std::string& body) {
  Fault fault;
  fault.match = match;
  fault.status = status;
  fault.body = body;
  return fault;
}

Fault say_no(const std::string& match, const std::string& description) {
  return refuse(
      match, 400, R"({"error":"invalid_request","error_description":")" + description + R"("})");
}

/// A file of which only the hash is known.
class Facts final : public FileFacts {
 public:
  explicit Facts(std::string content) : content_(std::move(content)) {}

  [[nodiscard]] Result<Bytes> sha256() const override {
    ++asked;
    return crypto::hash(DigestAlg::sha256, as_bytes(content_));
  }
  [[nodiscard]] const Bytes& content_digest() const override { return none_; }

  mutable int asked{0};

 private:
  std::string content_;
  Bytes none_;
};

/// The rig's clock for several sessions: whoever waits lets the others run.
class SharedClock final : public Clock {
 public:
  explicit SharedClock(Clock& clock) : clock_(clock) {}

  [[nodiscard]] TimePoint now() const override { return clock_.now(); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return clock_.steady_now();
  }
  void sleep_for(std::chrono::milliseconds duration) override {
    clock_.sleep_for(duration);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }

 private:
  Clock& clock_;
};

/// How many of `sessions` sessions, each in a thread, get a good signature of a digest of its own.
int sign_side_by_side(SigningSession& first, int sessions) {
  std::vector<std::unique_ptr<SigningSession>> all;
  for (int i = 0; i < sessions; ++i) {
    all.push_back(must(first.another()));
  }
  std::vector<std::thread> workers;
  std::atomic<int> good{0};
  for (std::size_t i = 0; i < all.size(); ++i) {
    workers.emplace_back([&, i] {
      const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(std::to_string(i)));
      const auto made = all[i]->sign(digest, DigestAlg::sha256);
      if (made) {
        const auto leaf = must(crypto::Certificate::parse(made->chain.front()));
        good += crypto::verify_digest(leaf, digest, DigestAlg::sha256, made->signature) ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  return good;
}

}  // namespace

TEST_CASE("esigner: one login and one lookup serve all signatures", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));

  for (int i = 0; i < 4; ++i) {
    must(sign(*must(session->another())));
  }

  CHECK(world.lab.count(kToken) == 1);
  CHECK(world.lab.count(kInfo) == 1);
  CHECK(world.lab.count(kAuthorize) == 4);
  CHECK(world.lab.count(kSignHash) == 4);
  CHECK(world.lab.count(kScan) == 0);
}

TEST_CASE("esigner: a one-time password is used once, and the next one waited for",
          "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  must(sign(*session));
  const TimePoint first = world.clock.now();

  must(sign(*session));

  CHECK(world.clock.now() - first > std::chrono::seconds{2});
  CHECK(world.lab.count(kAuthorize) == 2);
}

TEST_CASE("esigner: what sessions want signed at the same time shares an authorization",
          "[providers][esigner]") {
  auto& world = rig();
  SharedClock clock(world.clock);
  const World shared{clock, world.variables, *world.http};
  auto session = must(find_provider("esigner")->open(settings_for(world, "p256"), shared));

  const int good = sign_side_by_side(*session, 9);

  CHECK(good == 9);
  // Nine do not fit into one authorization; one that is late may cost another.
  CHECK(world.lab.count(kAuthorize) >= 2);
  CHECK(world.lab.count(kAuthorize) <= 4);
  CHECK(world.lab.count(kSignHash) == world.lab.count(kAuthorize));
}

TEST_CASE("esigner: where no password is spent no session waits for another",
          "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "free")));
  const auto before = world.clock.steady_now();

  CHECK(sign_side_by_side(*session, 4) == 4);

  CHECK(world.lab.count(kAuthorize) == 4);
  CHECK(world.clock.steady_now() == before);
}

TEST_CASE("esigner: no more is authorized at a time than the credential allows",
          "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "single")));

  CHECK(sign_side_by_side(*session, 4) == 4);

  CHECK(world.lab.count(kAuthorize) == 4);
}

TEST_CASE("esigner: digests of several algorithms are not mixed", "[providers][esigner]") {
  auto& world = rig();
  const auto first = must(open(world, settings_for(world, "rsa2048")));
  const auto second = must(first->another());
  std::thread other([&] {
    must(second->sign(crypto::hash(DigestAlg::sha512, as_bytes("b")), DigestAlg::sha512));
  });

  must(sign(*first));
  other.join();

  CHECK(world.lab.count(kSignHash) == 2);
}

TEST_CASE("esigner: clocks that differ do no harm", "[providers][esigner]") {
  for (const int offset : {-90, -31, 31, 90, 3600}) {
    INFO(offset);
    auto& world = rig();
    // Passwords of the future are used up by those tests that lived there.
    world.clock.sleep_for(std::chrono::hours{4});
    world.lab.set_clock_offset(std::chrono::seconds{offset});

    must(sign(*must(open(world, settings_for(world, "p256")))));

    CHECK(world.lab.count(kAuthorize) == 1);
  }
  rig().clock.sleep_for(std::chrono::hours{4});
}

TEST_CASE("esigner: a password that another process has used is followed by the next",
          "[providers][esigner]") {
  auto& world = rig();
  must(sign(*must(open(world, settings_for(world, "p256")))));

  must(sign(*must(open(world, settings_for(world, "p256")))));

  CHECK(world.lab.count(kAuthorize) == 3);
}

TEST_CASE("esigner: a wrong TOTP secret fails, and nothing is tried after that",
          "[providers][esigner]") {
  auto& world = rig();
  const auto settings =
      with_secret(settings_for(world, "p256"), "totp_secret", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=");
  const auto session = must(open(world, settings));

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::auth);
  CHECK(result.error().message.find("OTP is invalid") != std::string::npos);
  CHECK(result.error().hint.find("by SSL.com's clock") != std::string::npos);
  CHECK(world.lab.count(kAuthorize) == 2);
  CHECK_FALSE(sign(*must(session->another())));
  CHECK(world.lab.count(kAuthorize) == 2);
}

TEST_CASE("esigner: a PIN goes with each authorization, and a wrong one is tried once",
          "[providers][esigner]") {
  auto& world = rig();
  const auto settings = settings_for(world, "pinned");
  must(sign(*must(open(world, with_secret(settings, "pin", sslcom::kPin)))));
  world.lab.forget();
  const auto session = must(open(world, with_secret(settings, "pin", "0000")));

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::auth);
  CHECK_FALSE(sign(*session));
  CHECK(world.lab.count(kAuthorize) == 1);
  CHECK(refusal(world, settings).kind == ErrorKind::config);
}

TEST_CASE("esigner: the only credential needs no id", "[providers][esigner]") {
  auto& world = rig();
  auto nameless = world.settings("esigner");
  nameless.values.erase("credential_id");

  must(sign(*must(open(world, with(nameless, "username", sslcom::kOnlyUser)))));

  const Error several = refusal(world, nameless);
  CHECK(several.kind == ErrorKind::config);
  CHECK(several.hint.find("rsa2048, ") != std::string::npos);
  CHECK(several.hint.find("slow") != std::string::npos);
  const Error none = refusal(world, with(nameless, "username", sslcom::kPaperUser));
  CHECK(none.kind == ErrorKind::config);
  CHECK(none.message.find("production environment") != std::string::npos);
}

TEST_CASE("esigner: the sandbox has another client and other tokens", "[providers][esigner]") {
  auto& world = rig();
  const auto settings = settings_for(world, "p256");
  const std::string endpoint = settings.get("endpoint");
  const auto sandbox =
      with(with(with(settings, "environment", "sandbox"), "endpoint", endpoint + "/try"),
           "login_url",
           endpoint + "/try/oauth2/token");

  must(sign(*must(open(world, sandbox))));

  CHECK(refusal(world, with(sandbox, "environment", "production")).kind == ErrorKind::auth);
  const Error mixed = refusal(world, with(sandbox, "endpoint", endpoint));
  CHECK(mixed.kind == ErrorKind::auth);
  CHECK(mixed.hint.find("environment") != std::string::npos);
}

TEST_CASE("esigner: environments know their places", "[providers][esigner]") {
  auto& world = rig();
  auto settings = settings_for(world, "p256");
  settings.values.erase("endpoint");
  settings.values.erase("login_url");
  const std::string here = world.server->url("esigner");
  fake::Rerouting routes(world.variables, settings.get("ca_file"));
  routes.reroute("https://cs.ssl.com/", here + "/");
  routes.reroute("https://login.ssl.com/oauth2/", here + "/oauth2/");
  routes.reroute("https://cs-try.ssl.com/", here + "/try/");
  routes.reroute("https://oauth-sandbox.ssl.com/oauth2/", here + "/try/oauth2/");
  const World outside{world.clock, world.variables, routes};
  const auto opened = [&](const ProviderSettings& one) {
    return find_provider("esigner")->open(one, outside);
  };

  must(opened(settings));
  must(opened(with(settings, "environment", "production")));
  must(opened(with(settings, "environment", "sandbox")));
  must(opened(with(settings, "endpoint", "https://cs-try.ssl.com/")));
}

TEST_CASE("esigner: an own OAuth application logs in with its secret", "[providers][esigner]") {
  auto& world = rig();
  const auto own = with_secret(with(settings_for(world, "p256"), "client_id", sslcom::kOwnClient),
                               "client_secret",
                               sslcom::kOwnClientSecret);

  must(open(world, own));

  const Error wrong = refusal(world, with_secret(own, "client_secret", "wrong"));
  CHECK(wrong.kind == ErrorKind::auth);
  CHECK(wrong.hint.find("client_id") != std::string::npos);
}

TEST_CASE("esigner: a wrong password is said to be one, and is tried once",
          "[providers][esigner]") {
  auto& world = rig();

  const Error error =
      refusal(world, with_secret(settings_for(world, "p256"), "password", "wrong-password"));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message.find("rejected the user name or password") != std::string::npos);
  CHECK(text_of(error).find("redirect") == std::string::npos);
  CHECK(text_of(error).find("wrong-password") == std::string::npos);
  CHECK(world.lab.served().size() == 1);
}

TEST_CASE("esigner: credentials that cannot sign are refused when they are opened",
          "[providers][esigner]") {
  auto& world = rig();
  for (const char* id : {"disabled", "suspended", "sent", "nobody"}) {
    INFO(id);
    const Error error = refusal(world, settings_for(world, id));

    CHECK(error.kind == ErrorKind::config);
    CHECK_FALSE(error.hint.empty());
  }
  CHECK(world.lab.count(kAuthorize) == 0);
}

TEST_CASE("esigner: the malware blocker is told the file's own hash", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "scanned")));
  const Facts good("a good file");
  const Facts bad(sslcom::kMalware);

  must(session->about_to_sign(good));
  must(sign(*session, "a"));
  CHECK(world.lab.count(kScan) == 1);

  must(session->about_to_sign(bad));
  const auto caught = sign(*session, "b");
  REQUIRE_FALSE(caught);
  CHECK(caught.error().kind == ErrorKind::provider);
  CHECK(caught.error().message.find("malware") != std::string::npos);
  CHECK(world.lab.count(kAuthorize) == 1);

  // A file belongs to the next digest alone.
  const auto nameless = sign(*session, "c");
  REQUIRE_FALSE(nameless);
  CHECK(nameless.error().kind == ErrorKind::unsupported);
}

TEST_CASE("esigner: without the malware blocker no file is read", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  const Facts file("a file");

  must(session->about_to_sign(file));
  must(sign(*session));

  CHECK(file.asked == 0);
}

TEST_CASE("esigner: a scan that is asked for late is made then", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "forgetful")));
  const Facts file("a file");

  must(session->about_to_sign(file));
  must(sign(*session));

  CHECK(file.asked == 1);
  CHECK(world.lab.count(kScan) == 1);
  CHECK(world.lab.count(kAuthorize) == 2);
}

TEST_CASE("esigner: an authorization that is over is had again, once", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "slow")));
  must(sign(*session));
  CHECK(world.lab.count(kAuthorize) == 2);

  auto over = say_no("signHash", "SAD expired");
  over.times = -1;
  world.lab.add(over);
  CHECK_FALSE(sign(*session));
  CHECK(world.lab.count(kAuthorize) == 4);
}

TEST_CASE("esigner: every attempt has a password of its own", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  world.lab.add(refuse("authorize", 503, ""));
  world.lab.add(refuse("signHash", 429, ""));
  Fault cut;
  cut.kind = FaultKind::cut;
  cut.match = "signHash";
  world.lab.add(cut);

  must(sign(*session));

  CHECK(world.lab.count(kAuthorize) == 4);
  CHECK(world.lab.count(kSignHash) == 3);
}

TEST_CASE("esigner: a login that ends in the middle of a run is renewed", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  must(sign(*session));
  world.clock.sleep_for(std::chrono::minutes{58});
  must(sign(*session));
  CHECK(world.lab.count(kToken) == 2);

  world.lab.add(refuse("authorize", 401, R"({"error":"invalid_token"})"));
  must(sign(*session));
  CHECK(world.lab.count(kToken) == 3);
  // The password goes out once; the refresh tokens are good once each.
  REQUIRE(world.lab.notes().size() == 3);
  CHECK(world.lab.notes()[0]["grant"] == "password");
  CHECK(world.lab.notes()[1]["grant"] == "refresh_token");
  CHECK(world.lab.notes()[2]["grant"] == "refresh_token");
}

TEST_CASE("esigner: a refresh token that is not taken leads back to the password",
          "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  must(sign(*session));

  world.clock.sleep_for(std::chrono::minutes{58});
  world.lab.add(refuse("oauth2/token", 400, R"({"error":"invalid_grant"})"));
  must(sign(*session));

  CHECK(world.lab.count(kToken) == 3);
  CHECK(world.lab.notes().back()["grant"] == "password");
}

TEST_CASE("esigner: refusals say what to do", "[providers][esigner]") {
  struct Refused {
    std::string description;
    ErrorKind kind{};
    std::string hint;
  };
  const std::vector<Refused> all{
      {"The PIN locked", ErrorKind::auth, "pin"},
      {"Signing certificate 'CN=x' is expired", ErrorKind::config, "renew"},
      {"Monthly quota exceeded", ErrorKind::provider, "used up"},
      {"Your subscription is suspended", ErrorKind::provider, "subscription"},
      {"Numbers of signatures is too high", ErrorKind::config, "max_parallel"},
      {"Missing/Invalid parameter signAlgo", ErrorKind::unsupported, "sha256"},
      {"Hash is not authorized by the SAD", ErrorKind::internal, ""},
  };
  for (const auto& [description, kind, hint] : all) {
    INFO(description);
    auto& world = rig();
    const auto session = must(open(world, settings_for(world, "p256")));
    world.lab.add(say_no("authorize", description));

    const auto result = sign(*session);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == kind);
    CHECK(result.error().hint.find(hint) != std::string::npos);
    CHECK(result.error().message.find(description) != std::string::npos);
    CHECK(world.lab.count(kAuthorize) == 1);
  }
}

TEST_CASE("esigner: digests that the key does not sign are refused", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));

  const auto result =
      session->sign(crypto::hash(DigestAlg::sha384, as_bytes("content")), DigestAlg::sha384);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unsupported);
  CHECK(world.lab.count(kAuthorize) == 0);
}

TEST_CASE("esigner: troubles of every kind are told apart", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  for (const auto& [name, fault, kind] : fake::troubles()) {
    INFO(name);
    world.lab.add(fault);

    const auto result = sign(*session);
    world.lab.clear_faults();

    REQUIRE_FALSE(result);
    INFO(text_of(result.error()));
    CHECK(result.error().kind == kind);
  }
  must(sign(*session));
}

TEST_CASE("esigner: a server that asks for an hour's patience gets none", "[providers][esigner]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  Fault busy = refuse("signHash", 429, "");
  busy.times = -1;
  busy.headers = {{"retry-after", "3600"}};
  world.lab.add(busy);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::network);
  CHECK(world.lab.count(kSignHash) == 1);
}

TEST_CASE("esigner: lies about signatures are caught", "[providers][esigner]") {
  auto& world = rig();
  const auto lie = [](FaultKind kind) {
    Fault fault;
    fault.kind = kind;
    return fault;
  };
  const auto session = must(open(world, settings_for(world, "p256")));
  for (const FaultKind kind : {FaultKind::wrong_signature, FaultKind::other_key}) {
    world.lab.add(lie(kind));

    const auto result = sign(*session);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::provider);
    CHECK(result.error().message.find("does not match") != std::string::npos);
  }
  world.lab.add(lie(FaultKind::other_certificate));
  const auto stranger = must(open(world, settings_for(world, "p256")));
  CHECK(sign(*stranger).error().kind == ErrorKind::provider);

  for (const char* body : {R"({})",
                           R"({"signatures":[]})",
                           R"({"signatures":["AA==","AA=="]})",
                           R"({"signatures":["!"]})",
                           R"([])"}) {
    INFO(body);
    world.lab.add(refuse("signHash", 200, body));
    CHECK(sign(*session).error().kind == ErrorKind::provider);
  }
}

TEST_CASE("esigner: doctor says what there is and what is missing, and spends nothing",
          "[providers][esigner]") {
  auto& world = rig();
  const auto good = settings_for(world, "p256");
  const auto diagnose = [&](const ProviderSettings& settings) {
    return find_provider("esigner")->diagnose(settings, world.world());
  };

  CHECK(ids_of(diagnose(good), Severity::info) ==
        "clock esigner-credential esigner-login esigner-scan esigner-totp signing-certificate");
  CHECK(ids_of(diagnose(good), Severity::warning).empty());
  CHECK(ids_of(diagnose(good), Severity::error).empty());
  CHECK(ids_of(diagnose(with_secret(good, "password", "wrong"))) == "esigner-login");
  CHECK(ids_of(diagnose(with_secret(good, "totp_secret", "123456"))) == "esigner-totp");
  CHECK(ids_of(diagnose(with_secret(good, "totp_secret", ""))) == "esigner-totp");
  CHECK(ids_of(diagnose(settings_for(world, "disabled"))) == "esigner-credential");
  CHECK(ids_of(diagnose(ProviderSettings{})) == "esigner-settings");

  const auto blocked = diagnose(settings_for(world, "scanned"));
  CHECK(std::any_of(blocked.begin(), blocked.end(), [](const Finding& finding) {
    return finding.message.find("malware blocker is on") != std::string::npos;
  }));
  world.lab.set_clock_offset(std::chrono::seconds{20});
  CHECK(ids_of(diagnose(good), Severity::warning) == "clock-skew");
  CHECK(world.lab.count(kAuthorize) == 0);
  CHECK(world.lab.count(kSignHash) == 0);
}

}  // namespace signctl::test
