// SPDX-License-Identifier: Apache-2.0
#include "fake/vault.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/rig.hpp"
#include "support/catch.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <atomic>
#include <thread>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;
namespace hashicorp = fake::hashicorp;

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"vault"});
  made.lab.clear_faults();
  made.lab.forget();
  return made;
}

ProviderSettings settings_for(fake::Rig& world, const std::string& key, const std::string& kind) {
  return with(with(world.settings("vault"), "key", key), "chain", world.chain_file(kind));
}

ProviderSettings p256(fake::Rig& world) {
  return settings_for(world, "p256", "p256");
}

ProviderSettings by_approle(fake::Rig& world, const std::string& role) {
  auto settings = with(p256(world), "role_id", role);
  settings.secrets.clear();
  return with_secret(settings, "secret_id", hashicorp::kSecretId);
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("vault")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session) {
  return session.sign(crypto::hash(DigestAlg::sha256, as_bytes("content")), DigestAlg::sha256);
}

Fault refuse(int status, const std::string& text) {
  Fault fault;
  fault.status = status;
  fault.body = R"({"errors":[")" + text + R"("]})";
  return fault;
}

}  // namespace

TEST_CASE("vault: the version is the newest that has the certificate's key", "[providers][vault]") {
  auto& world = rig();
  const auto old = settings_for(world, "rotated", "rsa2048");
  const auto recent = with(old, "chain", world.chain_file("rsa2048", 1));

  must(sign(*must(open(world, old))));
  must(sign(*must(open(world, recent))));
  must(sign(*must(open(world, with(old, "key_version", "1")))));

  CHECK(refusal(world, with(old, "key_version", "2")).kind == ErrorKind::config);
  CHECK(refusal(world, with(old, "key_version", "7")).kind == ErrorKind::config);
  CHECK(refusal(world, with(old, "key", "retired")).kind == ErrorKind::config);
  CHECK(refusal(world, with(old, "key", "p256")).message.find("was not issued for any version") !=
        std::string::npos);
}

TEST_CASE("vault: a chain kept in Vault needs no file", "[providers][vault]") {
  auto& world = rig();
  const auto stored = with(world.settings("vault"), "key", "stored");

  const auto session = must(open(world, stored));

  CHECK(must(session->expected_chain()).size() == 2);
  must(sign(*session));
}

TEST_CASE("vault: addresses and mounts are taken as people write them", "[providers][vault]") {
  auto& world = rig();
  const auto settings = p256(world);
  const std::string address = settings.get("address");

  must(open(world, with(settings, "address", address + "/")));
  must(open(world, with(settings, "address", address + "/v1/")));
  must(open(world, with(settings, "mount", "/transit/")));
  CHECK(refusal(world, with(settings, "mount", "other")).kind == ErrorKind::config);
  CHECK(refusal(world, with(settings, "key", "transit/p256")).kind == ErrorKind::config);
  CHECK(refusal(world, with(settings, "address", "http://vault.example")).kind ==
        ErrorKind::config);
}

TEST_CASE("vault: the namespace goes with every request", "[providers][vault]") {
  auto& world = rig();

  must(sign(*must(open(world, with(p256(world), "namespace", hashicorp::kNamespace)))));

  CHECK(refusal(world, with(p256(world), "namespace", "other")).kind == ErrorKind::config);
}

TEST_CASE("vault: keys that do not sign for Windows are refused", "[providers][vault]") {
  auto& world = rig();

  const Error error = refusal(world, with(p256(world), "key", "symmetric"));

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("aes256-gcm96") != std::string::npos);
}

TEST_CASE("vault: sessions share one login and one lookup", "[providers][vault]") {
  fake::Rig world({"vault"});
  const auto first = must(open(world, by_approle(world, hashicorp::kRoleId)));
  std::vector<std::thread> workers;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    workers.emplace_back([&] {
      const auto session = first->another();
      for (int j = 0; j < 4; ++j) {
        good += session && sign(**session) ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }

  CHECK(good == 32);
  CHECK(world.lab.count("POST /vault/v1/auth/approle/login") == 1);
  CHECK(world.lab.count("GET /vault/v1/transit/keys/p256") == 1);
}

TEST_CASE("vault: a login is renewed before it ends, and when it is used up",
          "[providers][vault]") {
  fake::Rig world({"vault"});
  const auto session = must(open(world, by_approle(world, hashicorp::kRoleId)));
  world.clock.sleep_for(std::chrono::minutes{17});
  must(sign(*session));
  CHECK(world.lab.count("/login") == 2);

  const auto frugal = must(open(world, by_approle(world, hashicorp::kFrugalRoleId)));
  for (int i = 0; i < 4; ++i) {
    must(sign(*frugal));
  }
}

TEST_CASE("vault: a JWT logs in, GitHub's or another's", "[providers][vault]") {
  fake::Rig world({"vault"});
  auto settings = with(p256(world), "role", hashicorp::kJwtRole);
  settings.secrets.clear();
  const auto given = with_secret(settings, "jwt", hashicorp::identity_token(world.lab));
  must(sign(*must(open(world, given))));
  must(open(world, with(given, "auth_mount", "jwt-github")));

  const std::string other = hashicorp::identity_token(world.lab, "https://other.example");
  const Error error = refusal(world, with_secret(settings, "jwt", other));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("bound_audiences") != std::string::npos);
  CHECK(text_of(error).find(other) == std::string::npos);
  CHECK(refusal(world, with(settings, "auth", "jwt")).kind == ErrorKind::config);
}

TEST_CASE("vault: the token of `vault login` is the last resort", "[providers][vault]") {
  fake::Rig world({"vault"});
  auto settings = p256(world);
  settings.secrets.clear();
  CHECK(refusal(world, settings).kind == ErrorKind::auth);

  world.file(".vault-token", std::string(hashicorp::kToken) + "\n");
  world.variables.set("HOME", world.folder.path());

  must(sign(*must(open(world, settings))));
}

TEST_CASE("vault: refusals say what to do", "[providers][vault]") {
  auto& world = rig();
  const Error wrong = refusal(world, with_secret(p256(world), "token", "hvs.wrong"));
  CHECK(wrong.kind == ErrorKind::auth);
  CHECK(wrong.message.find("permission denied") != std::string::npos);
  CHECK(world.lab.served().size() == 1);

  const Error absent = refusal(world, with(p256(world), "key", "nobody"));
  CHECK(absent.kind == ErrorKind::config);

  const auto reader = with_secret(p256(world), "token", hashicorp::kReaderToken);
  const auto denied = sign(*must(open(world, reader)));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::auth);
  CHECK(denied.error().hint.find("sign") != std::string::npos);
}

TEST_CASE("vault: a token that ends in the middle of a run is told from a policy that says no",
          "[providers][vault]") {
  fake::Rig world({"vault"});
  const auto week = with_secret(p256(world), "token", hashicorp::kWeekToken);
  const auto session = must(open(world, week));
  must(sign(*session));
  world.clock.sleep_for(std::chrono::hours{24 * 8});

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::auth);
  CHECK(result.error().message.find("expired or is used up") != std::string::npos);
}

TEST_CASE("vault: a sealed Vault is said to be sealed", "[providers][vault]") {
  auto& world = rig();
  Fault sealed = refuse(503, "Vault is sealed");
  sealed.times = -1;
  world.lab.add(sealed);

  const Error error = refusal(world, p256(world));

  CHECK(error.kind == ErrorKind::network);
  CHECK(error.message.find("Vault is sealed (503)") != std::string::npos);
}

TEST_CASE("vault: states that pass are waited out", "[providers][vault]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  for (const int status : {412, 429, 473, 500}) {
    world.lab.add(refuse(status, "not now"));
  }

  must(sign(*session));

  CHECK(world.lab.count("/transit/sign/") == 5);
}

TEST_CASE("vault: troubles of every kind are told apart", "[providers][vault]") {
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

TEST_CASE("vault: lies about signatures are caught", "[providers][vault]") {
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

TEST_CASE("vault: doctor logs in once, which is all that some secret ids are good for",
          "[providers][vault]") {
  fake::Rig world({"vault"});
  const auto single = with_secret(
      by_approle(world, hashicorp::kRoleId), "secret_id", hashicorp::kSingleUseSecretId);

  const auto examination = find_provider("vault")->examine(single, world.world());

  CHECK(ids_of(examination.findings, Severity::error).empty());
  CHECK(ids_of(examination.findings, Severity::info).find("vault-secret-id") != std::string::npos);
  REQUIRE(examination.session != nullptr);
  must(sign(*examination.session));
  CHECK(world.lab.count("/login") == 1);
  CHECK(world.lab.count("GET /vault/v1/transit/keys/p256") == 1);
}

TEST_CASE("vault: a policy that says no is not argued with by another login",
          "[providers][vault]") {
  fake::Rig world({"vault"});
  const auto session = must(open(world, by_approle(world, hashicorp::kRoleId)));
  world.lab.add(refuse(403, "permission denied"));

  const auto denied = sign(*session);

  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::auth);
  CHECK(world.lab.count("/login") == 1);

  world.clock.sleep_for(std::chrono::minutes{2});
  world.lab.add(refuse(403, "permission denied"));
  must(sign(*session));
  CHECK(world.lab.count("/login") == 2);
}

TEST_CASE("vault: doctor says what there is and what is missing", "[providers][vault]") {
  auto& world = rig();
  const auto good = p256(world);
  const auto diagnose = [&](const ProviderSettings& settings) {
    return find_provider("vault")->diagnose(settings, world.world());
  };
  const auto week = with_secret(good, "token", hashicorp::kWeekToken);

  CHECK(ids_of(diagnose(good), Severity::info) ==
        "clock signing-certificate vault-key vault-permission vault-token");
  CHECK(ids_of(diagnose(good), Severity::warning).empty());
  CHECK(world.lab.count("/transit/sign/") == 0);
  CHECK(ids_of(diagnose(week), Severity::warning) == "vault-token");
  CHECK(ids_of(diagnose(by_approle(world, hashicorp::kRoleId)), Severity::warning).empty());
  CHECK(ids_of(diagnose(with_secret(good, "token", hashicorp::kReaderToken))) ==
        "vault-permission");
  CHECK(ids_of(diagnose(with_secret(good, "token", "hvs.wrong"))) == "vault-key");
  CHECK(ids_of(diagnose(with(good, "key", "symmetric"))) == "vault-key");
  CHECK(ids_of(diagnose(ProviderSettings{})) == "vault-settings");
}

}  // namespace signctl::test
