// SPDX-License-Identifier: Apache-2.0
#include "fake/signserver.hpp"

#include "core/call_control.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/client_file.hpp"
#include "fake/rig.hpp"
#include "providers/common/rest.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"signserver"});
  made.lab.clear_faults();
  made.lab.forget();
  return made;
}

ProviderSettings p256(fake::Rig& world) {
  return with(
      with(world.settings("signserver"), "worker", "p256"), "chain", world.chain_file("p256"));
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("signserver")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session, DigestAlg alg = DigestAlg::sha256) {
  return session.sign(crypto::hash(alg, as_bytes("content")), alg);
}

Fault refuse(int status, const std::string& text) {
  Fault fault;
  fault.status = status;
  fault.body = R"({"error":")" + text + R"("})";
  return fault;
}

/// A run that tries everything twice.
class Twice final : public CallControl {
 public:
  [[nodiscard]] Rules rules() const override {
    return {2, std::chrono::milliseconds{1}, std::chrono::milliseconds{1}};
  }
  [[nodiscard]] std::chrono::milliseconds time_left() const override {
    return std::chrono::minutes{10};
  }
  void on_trouble(const Error& /*error*/) override {}
  bool wait(std::chrono::milliseconds /*pause*/) override { return true; }
};

}  // namespace

TEST_CASE("signserver: a lost answer is asked for again as often as the run says",
          "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  Fault cut;
  cut.kind = FaultKind::cut;
  cut.times = -1;
  world.lab.add(cut);
  world.lab.forget();
  Twice run;
  const CallScope scope(run);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::network);
  CHECK(world.lab.served().size() == 2);
}

TEST_CASE("signserver: opening asks once and spends no signature", "[providers][signserver]") {
  auto& world = rig();

  const auto session = must(open(world, p256(world)));

  REQUIRE(world.lab.served().size() == 1);
  CHECK(world.lab.served().front().status == 400);
  must(sign(*session));
  must(sign(*must(session->another())));
  CHECK(world.lab.served().size() == 3);
}

TEST_CASE("signserver: without a chain the certificate comes with the first signature",
          "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(open(world, with(p256(world), "chain", "")));
  CHECK(must(session->expected_chain()).empty());

  const SignedDigest made = must(sign(*session));

  CHECK(made.chain.size() == 1);
  CHECK(must(session->expected_chain()) == made.chain);
}

TEST_CASE("signserver: a renewed certificate is taken from the service, its issuer from the file",
          "[providers][signserver]") {
  fake::Rig world({"signserver"});
  const auto session = must(open(world, p256(world)));
  const SignedDigest before = must(sign(*session));
  world.lab.rotate();

  const SignedDigest after = must(sign(*session));

  CHECK(after.chain.front() != before.chain.front());
  CHECK(after.chain.size() == 2);
  CHECK(after.chain.back() == before.chain.back());
}

TEST_CASE("signserver: a client certificate does for a token", "[providers][signserver]") {
  auto& world = rig();
  auto settings = fake::with_client(world, p256(world));
  settings.secrets.erase("token");

  must(sign(*must(open(world, settings))));

  const auto wrong = with_secret(settings, "client_certificate_password", "wrong");
  CHECK(refusal(world, wrong).message.find("password") != std::string::npos);
}

TEST_CASE("signserver: user name and password do for a token", "[providers][signserver]") {
  auto& world = rig();
  auto settings = p256(world);
  settings.secrets.erase("token");
  settings = with(settings, "username", fake::signserver::kUser);
  CHECK(refusal(world, settings).kind == ErrorKind::config);
  settings = with_secret(settings, "password", fake::signserver::kPassword);

  must(sign(*must(open(world, settings))));

  CHECK(refusal(world, with_secret(settings, "password", "wrong")).kind == ErrorKind::auth);
  CHECK(refusal(world, with(settings, "username", "c:i")).kind == ErrorKind::config);
  CHECK(refusal(world, with_secret(settings, "token", "t")).kind == ErrorKind::config);
}

TEST_CASE("signserver: doctor says when a token ends", "[providers][signserver]") {
  auto& world = rig();
  const std::int64_t now = world.clock.now().time_since_epoch().count();
  constexpr std::int64_t kDay = 86'400;
  const auto found = [&](const fake::Json& claims) {
    const std::string token = "e30." + providers::to_base64url(as_bytes(claims.dump())) + ".x";
    const auto findings = find_provider("signserver")
                              ->diagnose(with_secret(p256(world), "token", token), world.world());
    return ids_of(findings, Severity::info);
  };

  CHECK(found({{"exp", now - 1}}).find("token-expired") != std::string::npos);
  CHECK(found({{"exp", now + 10 * kDay}, {"iat", now - 80 * kDay}}).find("token-expires-soon") !=
        std::string::npos);
  // One that lives an hour is made for each run.
  CHECK(found({{"exp", now + 3000}, {"iat", now}}).find("token-expire") == std::string::npos);
  CHECK(found({{"exp", now + 90 * kDay}}).find("token-expire") == std::string::npos);
  CHECK(found({{"exp", "soon"}}).find("token-") == std::string::npos);
}

TEST_CASE("signserver: a client certificate of strangers never gets in",
          "[providers][signserver]") {
  auto& world = rig();
  auto settings = fake::with_client(world, p256(world));
  settings.secrets.erase("token");
  settings = with(settings, "client_certificate", fake::client_file(world, fake::Client::stranger));

  const Error error = refusal(world, settings);

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("right one for this host") != std::string::npos);
  CHECK(world.lab.served().empty());
}

TEST_CASE("signserver: refusals name the worker and its properties", "[providers][signserver]") {
  auto& world = rig();
  const Error denied = refusal(world, with(p256(world), "worker", "Restricted"));
  CHECK(denied.kind == ErrorKind::auth);
  CHECK(denied.message == "not authenticated or not authorised for worker Restricted (401)");
  CHECK(world.lab.served().size() == 1);

  const Error absent = refusal(world, with(p256(world), "worker", "Nobody"));
  CHECK(absent.kind == ErrorKind::config);
  CHECK(absent.message == "there is no worker Nobody (404)");

  const Error plain = refusal(world, with(p256(world), "worker", "NoHash"));
  CHECK(plain.kind == ErrorKind::config);
  CHECK(plain.hint.find("CLIENTSIDEHASHING=true") != std::string::npos);

  const Error eager = refusal(world, with(p256(world), "worker", "Eager"));
  CHECK(eager.kind == ErrorKind::config);

  const auto session = must(
      open(world,
           with(with(p256(world), "worker", "Sha256Only"), "chain", world.chain_file("rsa3072"))));
  must(sign(*session));
  const auto other = sign(*session, DigestAlg::sha512);
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::config);
  CHECK(other.error().hint.find("ACCEPTED_HASH_DIGEST_ALGORITHMS") != std::string::npos);
}

TEST_CASE("signserver: whether a worker takes a digest is known without signing",
          "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(
      open(world,
           with(with(p256(world), "worker", "Sha384Only"), "chain", world.chain_file("rsa3072"))));

  const auto other = session->check_digest(DigestAlg::sha256);

  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::config);
  CHECK(other.error().hint.find("ACCEPTED_HASH_DIGEST_ALGORITHMS") != std::string::npos);
  CHECK(session->check_digest(DigestAlg::sha384));
  must(sign(*session, DigestAlg::sha384));
}

TEST_CASE("signserver: an offline crypto token is waited for, two minutes at most",
          "[providers][signserver]") {
  auto& world = rig();
  const TimePoint before = world.clock.now();

  const Error error = refusal(world, with(p256(world), "worker", "Offline"));

  CHECK(error.kind == ErrorKind::network);
  CHECK(error.hint.find("activate the crypto worker") != std::string::npos);
  CHECK(world.clock.now() - before <= std::chrono::seconds{120});
  CHECK(world.lab.served().size() > 2);
}

TEST_CASE("signserver: a gateway's page is not taken for a worker", "[providers][signserver]") {
  auto& world = rig();
  Fault page;
  page.kind = FaultKind::html;
  world.lab.add(page);

  const Error error = refusal(world, p256(world));

  CHECK(error.kind == ErrorKind::provider);
  CHECK(error.hint.find("gateway's page") != std::string::npos);
}

TEST_CASE("signserver: a fault that passes while opening is waited out",
          "[providers][signserver]") {
  auto& world = rig();
  world.lab.add(refuse(503, "Crypto token is offline"));

  must(sign(*must(open(world, p256(world)))));
}

TEST_CASE("signserver: bad base64 is said once, though its status is 500",
          "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  world.lab.forget();
  Fault fault = refuse(500, "Incorrect base64 data");
  fault.times = -1;
  world.lab.add(fault);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::provider);
  CHECK(world.lab.served().size() == 1);
}

TEST_CASE("signserver: troubles of every kind are told apart", "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
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

TEST_CASE("signserver: lies about signatures are caught", "[providers][signserver]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  for (const FaultKind kind :
       {FaultKind::wrong_signature, FaultKind::other_key, FaultKind::other_certificate}) {
    Fault fault;
    fault.kind = kind;
    world.lab.add(fault);

    const auto result = sign(*session);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::provider);
    CHECK(result.error().message.find("does not match") != std::string::npos);
  }
  must(sign(*session));
}

TEST_CASE("signserver: doctor says what there is and what is missing", "[providers][signserver]") {
  auto& world = rig();
  const auto good = p256(world);
  const auto diagnose = [&](const ProviderSettings& settings) {
    return find_provider("signserver")->diagnose(settings, world.world());
  };

  CHECK(ids_of(diagnose(good), Severity::info) == "clock signing-certificate signserver-worker");
  CHECK(ids_of(diagnose(good), Severity::warning).empty());
  CHECK(ids_of(diagnose(fake::with_client(world, good)), Severity::info) ==
        "client-certificate clock signing-certificate signserver-worker");
  CHECK(ids_of(diagnose(with(good, "chain", "")), Severity::warning) == "signserver-chain");
  CHECK(ids_of(diagnose(with_secret(good, "token", "wrong"))) == "signserver-worker");
  CHECK(ids_of(diagnose(with(good, "worker", "Offline"))) == "signserver-worker");
  CHECK(ids_of(diagnose(ProviderSettings{})) == "signserver-settings");
}

}  // namespace signctl::test
