// SPDX-License-Identifier: Apache-2.0
#include "fake/keylocker.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/client_file.hpp"
#include "fake/rig.hpp"
#include "providers/keylocker/key.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <thread>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"keylocker"});
  made.lab.clear_faults();
  made.lab.forget();
  return made;
}

ProviderSettings settings_for(fake::Rig& world, const std::string& key) {
  return fake::with_client(world, with(world.settings("keylocker"), "key", key));
}

ProviderSettings p256(fake::Rig& world) {
  return settings_for(world, "key-p256");
}

ProviderSettings by_certificate(fake::Rig& world, const std::string& certificate) {
  return with(settings_for(world, ""), "certificate", certificate);
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("keylocker")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session) {
  return session.sign(crypto::hash(DigestAlg::sha256, as_bytes("content")), DigestAlg::sha256);
}

Fault answer(int status, const std::string& body) {
  Fault fault;
  fault.status = status;
  fault.body = body;
  return fault;
}

}  // namespace

TEST_CASE("keylocker: aliases are told from ids and thumbprints", "[providers][keylocker]") {
  CHECK(providers::keylocker::is_id("01234567-89ab-cdef-0123-456789ABCDEF"));
  CHECK_FALSE(providers::keylocker::is_id("cafe"));
  CHECK_FALSE(providers::keylocker::is_id("abc-1"));
  CHECK_FALSE(providers::keylocker::is_id("01234567-89ab-cdef-0123-456789abcdeg"));

  const std::string sha1(40, 'a');
  CHECK(providers::keylocker::thumbprint_in(std::string(40, 'A')) == sha1);
  CHECK(providers::keylocker::thumbprint_in("AA:" + std::string(38, 'A')) == sha1);
  CHECK(providers::keylocker::thumbprint_in(std::string(64, '0')).size() == 64);
  CHECK(providers::keylocker::thumbprint_in("\u200e" + std::string(40, 'a')) == sha1);
  CHECK(providers::keylocker::thumbprint_in("cafe").empty());
  CHECK(providers::keylocker::thumbprint_in("key_" + std::string(36, 'a')).empty());
}

TEST_CASE("keylocker: keys and certificates are found by every name they have",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto leaf = world.lab.signer("p256").chain.front();
  const std::string sha1 = to_hex(crypto::hash(DigestAlg::sha1, leaf.der()));

  must(sign(*must(open(world, settings_for(world, "cafe")))));
  must(sign(*must(open(world, by_certificate(world, "cert-p256")))));
  must(sign(*must(open(world, by_certificate(world, sha1)))));
  must(sign(*must(open(world, by_certificate(world, leaf.info().sha256_hex)))));
  must(sign(*must(open(world, with(p256(world), "certificate", "cert-p256")))));
}

TEST_CASE("keylocker: what is not there is said by name", "[providers][keylocker]") {
  auto& world = rig();
  const Error key = refusal(world, settings_for(world, "KEY-P256"));
  CHECK(key.kind == ErrorKind::config);
  CHECK(key.message == "there is no key pair \"KEY-P256\" in this DigiCert account");
  CHECK(key.hint.find("case-sensitive") != std::string::npos);

  CHECK(refusal(world, by_certificate(world, "nobody")).kind == ErrorKind::config);
  CHECK(refusal(world, by_certificate(world, std::string(40, '0'))).kind == ErrorKind::config);
  CHECK(refusal(world, by_certificate(world, "cert-revoked")).message.find("REVOKED") !=
        std::string::npos);
  CHECK(refusal(world, settings_for(world, "key-bare")).message.find("no active certificate") !=
        std::string::npos);
  CHECK(refusal(world, settings_for(world, "01234567-89ab-cdef-0123-456789abcdef")).kind ==
        ErrorKind::config);
  const Error apart = refusal(world, with(p256(world), "certificate", "cert-rsa2048"));
  CHECK(apart.kind == ErrorKind::config);
  CHECK(apart.message.find("belongs to the key pair key-rsa2048") != std::string::npos);
}

TEST_CASE("keylocker: the API key and the client certificate are both needed",
          "[providers][keylocker]") {
  auto& world = rig();
  const Error key = refusal(world, with_secret(p256(world), "api_key", "wrong"));
  CHECK(key.kind == ErrorKind::auth);
  CHECK(key.hint.find("API key is invalid, expired") != std::string::npos);
  CHECK(world.lab.served().size() == 1);

  const auto stranger =
      with(p256(world), "client_certificate", fake::client_file(world, fake::Client::stranger));
  const Error refused = refusal(world, stranger);
  CHECK(refused.kind == ErrorKind::auth);
  CHECK_FALSE(refused.hint.empty());

  world.lab.add(answer(403,
                       R"({"error":{"status":"access_denied","message":"User is not multi-factor )"
                       R"(authenticated. Missing Client Authentication Certificate"}})"));
  const Error missing = refusal(world, p256(world));
  CHECK(missing.kind == ErrorKind::auth);
  CHECK(missing.hint.find("clientauth host") != std::string::npos);
}

TEST_CASE("keylocker: a host for browsers is refused with the right one",
          "[providers][keylocker]") {
  auto& world = rig();

  const Error error = refusal(world, with(p256(world), "host", "https://one.nl.digicert.com/"));

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.hint == "set it to https://clientauth.one.nl.digicert.com");
}

TEST_CASE("keylocker: errors of all shapes are read", "[providers][keylocker]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  const auto said = [&](int status, const std::string& body) {
    Fault fault = answer(status, body);
    fault.times = -1;
    world.lab.add(fault);
    const auto result = sign(*session);
    world.lab.clear_faults();
    return result ? Error{ErrorKind::internal, "was signed"} : result.error();
  };

  const Error field =
      said(404, R"({"error":{"status":"invalid_input_field","message":"no such key"}})");
  CHECK(field.kind == ErrorKind::config);
  CHECK(field.message.find("no such key") != std::string::npos);
  const Error path =
      said(404, R"({"errors":[{"code":"INTERNAL_SERVER_ERROR","message":"Path not found"}]})");
  CHECK(path.message.find("Path not found") != std::string::npos);
  const Error spring =
      said(510, R"({"status":"500","error":"Internal Server Error","path":"/sign"})");
  CHECK(spring.kind == ErrorKind::network);
  CHECK(spring.message.find("Internal Server Error") != std::string::npos);
  const Error denied = said(403, R"({"error":{"status":"access_denied"}})");
  CHECK(denied.kind == ErrorKind::auth);
  CHECK(denied.message.find("access_denied") != std::string::npos);
}

TEST_CASE("keylocker: a refused signature names role, state and allowance",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto offline = sign(*must(open(world, settings_for(world, "key-offline"))));
  REQUIRE_FALSE(offline);
  CHECK(offline.error().kind == ErrorKind::auth);
  CHECK(offline.error().hint.find("SSM_SIGNER") != std::string::npos);
  CHECK(world.lab.count("POST") == 1);

  const auto spent = sign(*must(open(world, settings_for(world, "key-spent"))));
  REQUIRE_FALSE(spent);
  CHECK(spent.error().kind == ErrorKind::provider);
  CHECK(spent.error().hint.find("1000") != std::string::npos);
}

TEST_CASE("keylocker: the allowance that ends in the middle of a run ends the run",
          "[providers][keylocker]") {
  fake::Rig world({"keylocker"});
  const auto session = must(open(world, settings_for(world, "key-capped")));
  for (int i = 0; i < fake::keylocker::kCap; ++i) {
    must(sign(*session));
  }

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::provider);
  CHECK(world.lab.count("POST") == fake::keylocker::kCap + 1);
}

TEST_CASE("keylocker: attempts at signatures are counted, and nothing else",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto account = must(providers::keylocker::open_account(p256(world), world.world()));
  must(providers::keylocker::find_key_pair(*account, p256(world)));
  CHECK(account->authorizer->signatures_asked_for() == 0);

  world.lab.add(answer(503, "{}"));
  const auto pair = must(providers::keylocker::find_key_pair(*account, p256(world)));
  const Bytes digest = crypto::hash(DigestAlg::sha256, {});
  world.lab.add(answer(503, "{}"));
  must(account->signing.send(
      providers::post_json("/keypairs/" + pair.id + "/sign",
                           {{"sig_alg", "SHA256withECDSA"}, {"hash", to_base64(digest)}})));

  CHECK(account->authorizer->signatures_asked_for() == 2);
}

TEST_CASE("keylocker: a gateway that gives up waiting is asked once more and no more",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  Fault fault = answer(504, "<html>");
  fault.match = "/sign";
  fault.times = -1;
  world.lab.add(fault);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().may_be_done);
  CHECK(result.error().hint.find("may have counted 2 signatures") != std::string::npos);
  CHECK(world.lab.count("POST") == 2);
}

TEST_CASE("keylocker: a signature that cannot be fetched is not asked for again",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "key-slow")));
  Fault fault = answer(503, "");
  fault.match = "/signatures/";
  fault.times = -1;
  world.lab.add(fault);

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().may_be_done);
  CHECK(result.error().hint.find("not asked for another") != std::string::npos);
  CHECK(world.lab.count("POST") == 1);
}

TEST_CASE("keylocker: a signature that is not ready is fetched by its id",
          "[providers][keylocker]") {
  auto& world = rig();

  must(sign(*must(open(world, settings_for(world, "key-slow")))));

  CHECK(world.lab.count("POST") == 1);
  CHECK(world.lab.count("GET /keylocker/signingmanager/api/v1/signatures/") == 3);
}

TEST_CASE("keylocker: sessions share one lookup", "[providers][keylocker]") {
  fake::Rig world({"keylocker"});
  const auto first = must(open(world, p256(world)));
  const std::size_t before = world.lab.served().size();
  std::vector<std::thread> workers;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    workers.emplace_back([&] {
      const auto session = first->another();
      good += session && sign(**session) ? 1 : 0;
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }

  CHECK(good == 8);
  CHECK(world.lab.served().size() == before + 8);
}

TEST_CASE("keylocker: troubles of every kind are told apart", "[providers][keylocker]") {
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

TEST_CASE("keylocker: lies about signatures and certificates are caught",
          "[providers][keylocker]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  for (const FaultKind kind : {FaultKind::wrong_signature, FaultKind::other_key}) {
    Fault fault;
    fault.kind = kind;
    world.lab.add(fault);

    const auto result = sign(*session);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::provider);
    CHECK(result.error().message.find("does not match") != std::string::npos);
  }
}

TEST_CASE("keylocker: a certificate of another key is caught before a signature is spent",
          "[providers][keylocker]") {
  auto& world = rig();
  Fault lie;
  lie.kind = FaultKind::other_certificate;
  lie.times = -1;
  world.lab.add(lie);

  const Error error = refusal(world, p256(world));

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("was not issued for the key") != std::string::npos);
}

TEST_CASE("keylocker: doctor says what there is and what is missing", "[providers][keylocker]") {
  auto& world = rig();
  const auto good = p256(world);
  const auto diagnose = [&](const ProviderSettings& settings) {
    return find_provider("keylocker")->diagnose(settings, world.world());
  };

  CHECK(ids_of(diagnose(good), Severity::info) ==
        "client-certificate clock keylocker-key keylocker-permission keylocker-quota "
        "signing-certificate");
  CHECK(ids_of(diagnose(good), Severity::warning).empty());
  CHECK(world.lab.count("POST") == 0);
  CHECK(ids_of(diagnose(with_secret(good, "api_key", "wrong"))) == "keylocker-login");
  CHECK(ids_of(diagnose(with(good, "key", "nobody"))) == "keylocker-key");
  CHECK(ids_of(diagnose(with(good, "key", "key-others"))) == "keylocker-permission");
  CHECK(ids_of(diagnose(with(good, "key", "key-offline")), Severity::warning) ==
        "keylocker-status");
  CHECK(ids_of(diagnose(ProviderSettings{})) == "keylocker-settings");
  world.lab.add(answer(403, R"({"error":{"status":"access_denied","message":"No permission"}})"));
  const auto denied = diagnose(good);
  CHECK(ids_of(denied) == "keylocker-login");
  CHECK(denied.back().message.find("SSM_SIGNER") != std::string::npos);
}

TEST_CASE("keylocker: doctor sees certificates end and clocks drift", "[providers][keylocker]") {
  fake::Rig world({"keylocker"});
  const auto settings = p256(world);
  const auto warnings = [&] {
    return ids_of(find_provider("keylocker")->diagnose(settings, world.world()), Severity::warning);
  };
  world.lab.set_clock_offset(std::chrono::seconds{90});
  CHECK(warnings() == "clock-skew");

  world.lab.set_clock_offset({});
  world.clock.sleep_for(std::chrono::days{340});
  CHECK(warnings() == "client-certificate-expires-soon signing-certificate-expires-soon");
  CHECK(world.lab.count("POST") == 0);
}

TEST_CASE("keylocker: a host that insists on client certificates is content with ours",
          "[providers][keylocker]") {
  auto& world = rig();
  const fake::Server strict(
      world.lab, {"keylocker"}, {.client = fake::ClientCertificate::required});

  must(sign(*must(open(world, with(p256(world), "host", strict.url("keylocker"))))));
}

TEST_CASE("keylocker: the quota is told to those who plan", "[providers][keylocker]") {
  const ProviderTraits traits = find_provider("digicert-one")->traits();

  CHECK(traits.signatures_a_year == 1000);
  CHECK(traits.billable);
  CHECK(traits.timestamp_server == "http://timestamp.digicert.com");
}

}  // namespace signctl::test
