// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "fake/azure.hpp"
#include "fake/rig.hpp"
#include "providers/trusted_signing/account.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <signctl/keeps_operations.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include <openssl/objects.h>
#include <openssl/pkcs7.h>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;
namespace azure = fake::azure;

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"entra", "artifact-signing"});
  made.lab.clear_faults();
  made.lab.forget();
  return made;
}

ProviderSettings good(fake::Rig& world) {
  return world.settings("artifact-signing");
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("trusted-signing")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session) {
  return session.sign(crypto::hash(DigestAlg::sha256, as_bytes("content")), DigestAlg::sha256);
}

Fault fault_at(FaultKind kind, const std::string& match, int times = 1) {
  Fault fault;
  fault.kind = kind;
  fault.match = match;
  fault.times = times;
  return fault;
}

Fault answer(int status, const std::string& match, const std::string& body = "") {
  Fault fault = fault_at(FaultKind::status, match);
  fault.status = status;
  fault.body = body;
  return fault;
}

struct FreePkcs7 {
  void operator()(PKCS7* bundle) const { PKCS7_free(bundle); }
};

/// SignedData with certificates alone.
Bytes bundle_of(const std::vector<crypto::Certificate>& certificates) {
  const std::unique_ptr<PKCS7, FreePkcs7> bundle(PKCS7_new());
  PKCS7_set_type(bundle.get(), NID_pkcs7_signed);
  PKCS7_content_new(bundle.get(), NID_pkcs7_data);
  for (const crypto::Certificate& one : certificates) {
    PKCS7_add_certificate(bundle.get(), one.x509());
  }
  std::uint8_t* der = nullptr;
  const int size = i2d_PKCS7(bundle.get(), &der);
  REQUIRE(size > 0);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

std::string in_lines(const std::string& text, const std::string& end) {
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 64) {
    lines += text.substr(at, 64) + end;
  }
  return lines;
}

constexpr const char* kSign = "POST /artifact-signing/";
constexpr const char* kPoll =
    "GET "
    "/artifact-signing/codesigningaccounts/contoso/certificateprofiles/public-trust/sign/operation";
constexpr const char* kToken = "/oauth2/v2.0/token";

}  // namespace

TEST_CASE("trusted-signing: has its own timestamp server and an alias", "[providers]") {
  const Provider* provider = find_provider("artifact-signing");

  REQUIRE(provider == find_provider("trusted-signing"));
  CHECK(provider->traits().timestamp_server == "http://timestamp.acs.microsoft.com");
  CHECK(provider->traits().billable);
}

TEST_CASE("trusted-signing: a run logs in once, looks the chain up once, spends what it signs",
          "[providers]") {
  auto& world = rig();
  const auto first = must(open(world, good(world)));
  std::vector<std::thread> workers;
  std::atomic<int> made{0};
  for (int i = 0; i < 8; ++i) {
    workers.emplace_back([&made, session = must(first->another())] {
      for (int file = 0; file < 3; ++file) {
        made += session->expected_chain() && sign(*session) ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }

  CHECK(made == 24);
  CHECK(world.lab.count(kToken) == 1);
  CHECK(world.lab.count("/certchain") == 1);
  CHECK(world.lab.count(kSign) == 24);
}

TEST_CASE("trusted-signing: the chain is that of the signature, not yesterday's", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  const auto expected = must(session->expected_chain());
  world.lab.rotate();

  const auto made = must(sign(*session));

  CHECK(made.chain.front() != expected.front());
}

TEST_CASE("trusted-signing: throttling and trouble are waited out", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  Fault throttled = answer(429, kSign);
  throttled.headers["Retry-After"] = "7";
  for (const Fault& fault : {throttled,
                             answer(429, kSign),
                             answer(500, kSign, R"({"errorDetail":{"code":"InternalError"}})"),
                             answer(503, kPoll, "<html>"),
                             fault_at(FaultKind::cut, kSign),
                             fault_at(FaultKind::close, kPoll)}) {
    INFO(fault.match << " " << fault.status);
    world.lab.add(fault);

    must(sign(*session));
  }
}

TEST_CASE("trusted-signing: Retry-After is what is waited", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  Fault throttled = answer(429, kSign);
  throttled.headers["Retry-After"] = "77";
  world.lab.add(throttled);
  const auto before = world.clock.steady_now();

  must(sign(*session));

  const auto waited = world.clock.steady_now() - before;
  CHECK(waited >= std::chrono::seconds(77));
  CHECK(waited < std::chrono::seconds(80));
}

TEST_CASE("trusted-signing: a service that stays down is a network error", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  Fault down = answer(503, "");
  down.times = -1;
  world.lab.add(down);

  const auto made = sign(*session);

  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::network);
}

TEST_CASE("trusted-signing: lies are found before anything is embedded", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  for (const FaultKind kind :
       {FaultKind::wrong_signature, FaultKind::other_key, FaultKind::other_certificate}) {
    world.lab.add(fault_at(kind, ""));

    const auto made = sign(*session);

    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::provider);
    CHECK(made.error().message.find("does not match certificate") != std::string::npos);
  }
}

TEST_CASE("trusted-signing: answers that are none are errors", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  for (const FaultKind kind : {FaultKind::malformed_json, FaultKind::html}) {
    world.lab.add(fault_at(kind, kSign));

    const auto before = world.lab.count(kSign);
    const auto made = sign(*session);

    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::provider);
    CHECK(made.error().hint.find("may have counted") != std::string::npos);
    CHECK(world.lab.count(kSign) == before + 1);
  }
  for (const FaultKind kind : {FaultKind::huge, FaultKind::cut}) {
    world.lab.clear_faults();
    world.lab.add(fault_at(kind, kSign, -1));
    const auto before = world.lab.count(kSign);
    const auto lost = sign(*session);
    REQUIRE_FALSE(lost);
    CHECK(lost.error().kind == ErrorKind::network);
    CHECK(lost.error().hint.find("may have counted 2 signatures") != std::string::npos);
    CHECK(world.lab.count(kSign) == before + 2);
  }
}

TEST_CASE("trusted-signing: a signature that was accepted and not fetched is not asked for again",
          "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  Fault page = answer(200, kPoll, "<html>please wait</html>");
  for (Fault fault :
       {fault_at(FaultKind::close, kPoll), answer(503, kPoll), answer(429, kPoll), page}) {
    INFO(fault.status);
    fault.times = -1;
    world.lab.clear_faults();
    world.lab.add(fault);
    const auto before = world.lab.count(kSign);

    const auto made = sign(*session);

    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::network);
    CHECK(made.error().may_be_done);
    CHECK(made.error().hint.find("not asked for another") != std::string::npos);
    CHECK(world.lab.count(kSign) == before + 1);
  }
}

namespace {

struct Note final : OperationNote {
  [[nodiscard]] std::string noted() const override { return operation; }
  void note(const std::string& accepted) override { operation = accepted; }

  std::string operation;
};

Result<SignedDigest> sign_noting(SigningSession& session, Note& note) {
  dynamic_cast<KeepsOperations&>(session).keep_operation_in(note);
  return sign(session);
}

}  // namespace

TEST_CASE("trusted-signing: an operation that was noted is fetched and not paid for again",
          "[providers]") {
  auto& world = rig();
  Note note;
  Fault down = answer(503, kPoll);
  down.times = -1;
  world.lab.add(down);
  const auto before = world.lab.count(kSign);
  const auto lost = sign_noting(*must(open(world, good(world))), note);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().kind == ErrorKind::network);
  CHECK(lost.error().may_be_done);
  CHECK(lost.error().hint.find("running again with the same journal fetches this one") !=
        std::string::npos);
  CHECK(world.lab.count(kSign) == before + 1);
  REQUIRE(note.operation.starts_with("operation-"));
  const auto session = must(open(world, good(world)));

  SECTION("still out of reach: nothing is asked for") {
    const auto again = sign_noting(*session, note);

    REQUIRE_FALSE(again);
    CHECK(again.error().kind == ErrorKind::network);
    CHECK(world.lab.count(kSign) == before + 1);
  }
  SECTION("refused for another reason: nothing is asked for") {
    for (const int status : {302, 400, 409}) {
      world.lab.clear_faults();
      world.lab.add(answer(status, kPoll));

      const auto again = sign_noting(*session, note);

      INFO(status);
      REQUIRE_FALSE(again);
      CHECK(again.error().hint.find("fetches this one") != std::string::npos);
      CHECK(world.lab.count(kSign) == before + 1);
    }
  }
  SECTION("well again: it is fetched, once") {
    world.lab.clear_faults();

    must(sign_noting(*session, note));

    CHECK(world.lab.count(kSign) == before + 1);
    must(sign(*session));
    CHECK(world.lab.count(kSign) == before + 2);
  }
  SECTION("gone, failed or a lie: another is asked for, and noted") {
    const std::string first = note.operation;
    for (const Fault& fault :
         {answer(404, kPoll),
          answer(200, kPoll, R"({"status":"Failed"})"),
          answer(200, kPoll, R"({"status":"Succeeded","signature":"AAAA"})")}) {
      world.lab.clear_faults();
      world.lab.add(fault);
      note.operation = first;
      const auto spent = world.lab.count(kSign);

      must(sign_noting(*session, note));

      CHECK(world.lab.count(kSign) == spent + 1);
      CHECK(note.operation != first);
    }
  }
  SECTION("a refused login is no reason to pay again") {
    world.lab.clear_faults();
    world.lab.add(answer(403, kPoll));

    const auto again = sign_noting(*session, note);

    REQUIRE_FALSE(again);
    CHECK(again.error().kind == ErrorKind::auth);
    CHECK(world.lab.count(kSign) == before + 1);
  }
}

TEST_CASE("trusted-signing: a poll whose answer says nothing is asked again", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  for (const FaultKind kind : {FaultKind::malformed_json, FaultKind::html}) {
    world.lab.add(fault_at(kind, kPoll));
    const auto before = world.lab.count(kSign);

    must(sign(*session));

    CHECK(world.lab.count(kSign) == before + 1);
  }
}

TEST_CASE("trusted-signing: an operation that failed is a refusal", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  world.lab.add(answer(200, kPoll, R"({"status":"Failed"})"));

  const auto made = sign(*session);

  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::provider);
  CHECK(made.error().message.find("refused to sign") != std::string::npos);
}

TEST_CASE("trusted-signing: a chain that is none is the service's fault", "[providers]") {
  auto& world = rig();
  for (const FaultKind kind : {FaultKind::malformed_json, FaultKind::html}) {
    world.lab.add(fault_at(kind, "/certchain"));

    CHECK(refusal(world, good(world)).kind == ErrorKind::provider);
  }
}

TEST_CASE("trusted-signing: certificates are found in every wrapping", "[providers]") {
  auto& world = rig();
  auto chain = world.lab.pki().signer("rsa3072").chain;
  const Bytes leaf = chain.front().der();
  const std::string pem = crypto::to_pem(chain);
  const Bytes leaf_first = bundle_of(chain);
  std::reverse(chain.begin(), chain.end());
  const Bytes leaf_last = bundle_of(chain);
  const auto twice = [](const std::string& inner) { return to_base64(as_bytes(inner)); };
  for (const std::string& text : {twice(in_lines(to_base64(leaf_first), "\r\n")),
                                  twice(in_lines(to_base64(leaf_last), "\n")),
                                  twice(to_base64(leaf_last)),
                                  in_lines(twice(to_base64(leaf_first) + "\n"), "\r\n") + "\n",
                                  to_base64(leaf_last),
                                  to_base64(leaf),
                                  twice(to_base64(leaf)),
                                  twice(pem),
                                  pem}) {
    const auto found = providers::trusted_signing::chain_in(text);

    REQUIRE(found);
    CHECK(found->leaf.der() == leaf);
  }
  for (const std::string text : {"", "!", "AAAA", "MIIB", "-----BEGIN CERTIFICATE-----"}) {
    INFO(text);
    const auto found = providers::trusted_signing::chain_in(text);

    REQUIRE_FALSE(found);
    CHECK(found.error().kind == ErrorKind::provider);
  }
}

TEST_CASE("trusted-signing: a 404 may be a 403 inside, a 500 is none", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  const std::string inner = R"({"errorDetail":{"code":"X","message":"inner status 403"}})";
  world.lab.add(answer(404, kSign, inner));
  const auto refused = sign(*session);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::auth);
  CHECK(refused.error().hint.find("6)") != std::string::npos);

  world.lab.add(answer(500, kSign, R"({"errorDetail":{"code":"X","message":"id 14030"}})"));
  must(sign(*session));
}

TEST_CASE("trusted-signing: an operation says when to ask again", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  Fault slow = answer(200, kPoll, R"({"operationId":"x","status":"NotStarted"})");
  slow.headers["Retry-After"] = "7";
  world.lab.add(slow);
  const auto before = world.clock.steady_now();

  must(sign(*session));

  const auto waited = world.clock.steady_now() - before;
  CHECK(waited >= std::chrono::seconds(7));
  CHECK(waited < std::chrono::seconds(10));
}

TEST_CASE("trusted-signing: an operation that fails or never ends", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  world.lab.add(answer(200, kPoll, R"({"operationId":"x","status":"Failed"})"));
  const auto failed = sign(*session);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().kind == ErrorKind::provider);
  CHECK(failed.error().hint.find("profile") != std::string::npos);

  Fault forever = answer(200, kPoll, R"({"operationId":"x","status":"Running"})");
  forever.times = -1;
  world.lab.add(forever);
  const auto endless = sign(*session);
  REQUIRE_FALSE(endless);
  CHECK(endless.error().kind == ErrorKind::network);
}

TEST_CASE("trusted-signing: a 403 brings the checklist, with who was refused", "[providers]") {
  auto& world = rig();
  for (const auto& settings : {with(good(world), "profile", "misspelt"),
                               with(good(world), "account", "misspelt"),
                               with(good(world), "client_id", azure::kStrangerClient)}) {
    const Error error = refusal(world, settings);

    CHECK(error.kind == ErrorKind::auth);
    CHECK(error.hint.find(azure::kObject) != std::string::npos);
    std::size_t last = 0;
    for (const char* step : {"1)", "2)", "3)", "4)", "5)", "6)"}) {
      const std::size_t at = error.hint.find(step);
      REQUIRE(at != std::string::npos);
      CHECK(at >= last);
      last = at;
    }
  }
}

TEST_CASE("trusted-signing: a token that ends in the middle is replaced", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, good(world)));
  must(sign(*session));
  world.clock.sleep_for(std::chrono::hours(2));

  must(sign(*session));

  CHECK(world.lab.count(kToken) == 2);
}

TEST_CASE("trusted-signing: diagnosis names the lasting identity's place and spends nothing",
          "[providers]") {
  auto& world = rig();

  const auto findings = find_provider("trusted-signing")->diagnose(good(world), world.world());

  CHECK(world.lab.count(kSign) == 0);
  bool has_certificate = false;
  bool has_identity = false;
  for (const Finding& finding : findings) {
    CHECK(finding.severity != Severity::error);
    has_certificate = has_certificate || finding.id == "signing-certificate";
    has_identity =
        has_identity ||
        (finding.id == "durable-identity" &&
         finding.message.find(std::string("eku: ") + azure::kDurableIdentity) != std::string::npos);
  }
  CHECK(has_certificate);
  CHECK(has_identity);
}

TEST_CASE("trusted-signing: a clock that is wrong is said", "[providers]") {
  auto& world = rig();
  world.lab.set_clock_offset(std::chrono::minutes(10));

  const auto findings = find_provider("trusted-signing")->diagnose(good(world), world.world());
  world.lab.set_clock_offset(std::chrono::seconds(0));

  const bool said = std::any_of(findings.begin(), findings.end(), [](const Finding& one) {
    return one.id == "clock-skew" && one.severity == Severity::error;
  });
  CHECK(said);
}

}  // namespace signctl::test
