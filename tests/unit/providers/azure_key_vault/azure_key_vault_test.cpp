// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "fake/azure.hpp"
#include "fake/rig.hpp"
#include "providers/azure_key_vault/key.hpp"
#include "providers/azure_key_vault/refusal.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::FaultKind;
using fake::with;
using fake::with_secret;
namespace azure = fake::azure;
namespace vault = providers::azure_key_vault;

constexpr const char* kSign = "POST /key-vault/keys/";
constexpr const char* kLookUp = "GET /key-vault/";
constexpr const char* kToken = "/oauth2/v2.0/token";

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"entra", "key-vault"});
  made.lab.clear_faults();
  made.lab.forget();
  return made;
}

ProviderSettings of(fake::Rig& world, const std::string& kind) {
  return with(
      with(world.settings("key-vault"), "certificate", kind), "chain", world.chain_file(kind));
}

ProviderSettings by_key(fake::Rig& world, const std::string& kind) {
  return with(with(of(world, kind), "certificate", ""), "key", kind);
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("azure-key-vault")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session, DigestAlg alg = DigestAlg::sha256) {
  return session.sign(crypto::hash(alg, as_bytes("content")), alg);
}

std::vector<Finding> diagnose(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("azure-key-vault")->diagnose(settings, world.world());
}

bool has(const std::vector<Finding>& findings, const std::string& id, Severity severity) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
    return one.id == id && one.severity == severity;
  });
}

Fault answer(int status, const std::string& match, const std::string& body) {
  Fault fault;
  fault.match = match;
  fault.status = status;
  fault.body = body;
  return fault;
}

}  // namespace

TEST_CASE("azure-key-vault: a run logs in once and looks the key up once", "[providers]") {
  auto& world = rig();
  const auto first = must(open(world, of(world, "p256")));
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
  CHECK(world.lab.count(kLookUp) == 1);
  CHECK(world.lab.count(kSign) == 24);
}

TEST_CASE("azure-key-vault: the version that was looked up signs", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, of(world, "rsa3072")));

  must(sign(*session));

  CHECK(world.lab.count(std::string(kSign) + "rsa3072/0123456789abcdef0123456789abcdef/sign") == 1);
  CHECK(refusal(world, with(of(world, "rsa3072"), "version", "0000")).kind == ErrorKind::config);
}

TEST_CASE("azure-key-vault: trouble that lasts is told from nonsense", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, of(world, "p256")));
  for (const fake::Trouble& trouble : fake::troubles()) {
    INFO(trouble.name);
    Fault fault = trouble.fault;
    fault.match = kSign;
    world.lab.clear_faults();
    world.lab.add(fault);

    const auto made = sign(*session);

    REQUIRE_FALSE(made);
    CHECK(made.error().kind == trouble.kind);
  }
  world.lab.clear_faults();
  must(sign(*session));
}

TEST_CASE("azure-key-vault: throttling without Retry-After is waited out", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, of(world, "p256")));
  Fault throttled = answer(429, kSign, R"({"error":{"code":"Throttled","message":"slow down"}})");
  throttled.times = 3;
  world.lab.add(throttled);

  must(sign(*session));

  CHECK(world.lab.count(kSign) == 4);
}

TEST_CASE("azure-key-vault: lies are found before anything is embedded", "[providers]") {
  auto& world = rig();
  for (const char* kind : {"rsa2048", "p384"}) {
    const DigestAlg alg = kind[0] == 'r' ? DigestAlg::sha256 : DigestAlg::sha384;
    const auto session = must(open(world, of(world, kind)));
    for (const FaultKind lie : {FaultKind::wrong_signature, FaultKind::other_key}) {
      Fault fault;
      fault.kind = lie;
      world.lab.add(fault);

      const auto made = sign(*session, alg);

      REQUIRE_FALSE(made);
      CHECK(made.error().kind == ErrorKind::provider);
      CHECK(made.error().message.find("does not match certificate") != std::string::npos);
    }
  }
}

TEST_CASE("azure-key-vault: a certificate of another key cannot sign", "[providers]") {
  auto& world = rig();
  Fault fault;
  fault.kind = FaultKind::other_certificate;
  world.lab.add(fault);
  const auto shown_another = open(world, with(of(world, "p256"), "chain", ""));
  REQUIRE(shown_another);
  CHECK_FALSE(sign(**shown_another));

  const auto of_another = with(by_key(world, "p256"), "chain", world.chain_file("p384"));
  CHECK(refusal(world, of_another).kind == ErrorKind::config);
}

TEST_CASE("azure-key-vault: a certificate that is none is the service's fault", "[providers]") {
  auto& world = rig();
  world.lab.add(answer(
      200, kLookUp, R"({"kid":"https://v/keys/a/b","cer":"AAAA","attributes":{"enabled":true}})"));

  CHECK(refusal(world, of(world, "p256")).kind == ErrorKind::provider);
}

TEST_CASE("azure-key-vault: an EC key signs the digest of its size alone", "[providers]") {
  auto& world = rig();
  for (const auto& [kind, good] : {std::pair{"p256", DigestAlg::sha256},
                                   std::pair{"p384", DigestAlg::sha384},
                                   std::pair{"p521", DigestAlg::sha512}}) {
    const auto session = must(open(world, by_key(world, kind)));
    for (const DigestAlg alg : {DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512}) {
      const auto made = sign(*session, alg);
      REQUIRE(made.has_value() == (alg == good));
      if (!made) {
        CHECK(made.error().kind == ErrorKind::unsupported);
        CHECK(made.error().message.find(digest_name(good)) != std::string::npos);
      }
    }
  }
}

TEST_CASE("azure-key-vault: a 403 says which permission, and whose", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, of(world, "p256")));
  const std::vector<std::tuple<std::string, ErrorKind, std::string>> table{
      {"ForbiddenByRbac", ErrorKind::auth, "Key Vault Crypto User"},
      {"ForbiddenByPolicy", ErrorKind::auth, "Keys Get and Sign"},
      {"ForbiddenByFirewall", ErrorKind::config, "firewall"},
      {"KeyDisabled", ErrorKind::provider, "enabled"}};
  for (const auto& [code, kind, word] : table) {
    INFO(code);
    world.lab.add(answer(
        403,
        kSign,
        R"({"error":{"code":"Forbidden","message":"no","innererror":{"code":")" + code + "\"}}}"));

    const auto made = sign(*session);

    REQUIRE_FALSE(made);
    CHECK(made.error().kind == kind);
    CHECK(made.error().hint.find(word) != std::string::npos);
  }
  const Error error = refusal(world, with(of(world, "p256"), "client_id", azure::kStrangerClient));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find(azure::kObject) != std::string::npos);
}

TEST_CASE("azure-key-vault: a vault of another tenant names it", "[providers]") {
  auto& world = rig();
  Fault challenge = answer(401, kLookUp, "");
  challenge.times = -1;
  challenge.headers["WWW-Authenticate"] =
      R"(Bearer authorization="https://login.microsoftonline.com/other-tenant", resource="x")";
  world.lab.add(challenge);

  const Error error = refusal(world, of(world, "p256"));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("other-tenant") != std::string::npos);
}

TEST_CASE("azure-key-vault: a wrong secret is tried once and never shown", "[providers]") {
  auto& world = rig();
  const Error error =
      refusal(world, with_secret(of(world, "p256"), "client_secret", "wrong~secret~value"));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(world.lab.count(kToken) == 1);
  CHECK(world.lab.count(kLookUp) == 0);
  CHECK((error.message + error.hint).find("wrong~secret") == std::string::npos);
}

TEST_CASE("azure-key-vault: a token that ends in the middle is replaced", "[providers]") {
  auto& world = rig();
  const auto session = must(open(world, of(world, "p256")));
  must(sign(*session));
  world.clock.sleep_for(std::chrono::hours(2));

  must(sign(*session));

  CHECK(world.lab.count(kToken) == 2);
}

TEST_CASE("azure-key-vault: a managed HSM has keys alone", "[providers]") {
  auto& world = rig();
  constexpr const char* kHsm = "https://contoso.managedhsm.azure.net";
  const auto hsm = with(by_key(world, "p256"), "vault_url", kHsm);
  const Error error = refusal(world, with(with(hsm, "key", ""), "certificate", "p256"));
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("managed HSM") != std::string::npos);
  CHECK(must(vault::Vault::open(hsm, world.world())).is_hsm);

  // The stand-in is a vault, which takes no token that was made for an HSM.
  world.http->reroute(kHsm, world.server->url("key-vault"));
  CHECK(refusal(world, hsm).kind == ErrorKind::auth);
  CHECK(must(open(world, by_key(world, "p256"))) != nullptr);
}

TEST_CASE("azure-key-vault: tokens are for the vault's cloud", "[providers]") {
  CHECK(vault::resource_of_vault("https://a.vault.azure.net") == "https://vault.azure.net");
  CHECK(vault::resource_of_vault("https://a.vault.usgovcloudapi.net") ==
        "https://vault.usgovcloudapi.net");
  CHECK(vault::resource_of_vault("https://a.vault.azure.cn") == "https://vault.azure.cn");
}

TEST_CASE("azure-key-vault: keys of no use are no public keys", "[providers]") {
  for (const char* text : {R"({})",
                           R"({"kty":"oct-HSM","k":"AA"})",
                           R"({"kty":"RSA","n":"","e":"AQAB"})",
                           R"({"kty":"RSA","n":"!","e":"AQAB"})",
                           R"({"kty":"EC","crv":"P-256K","x":"AA","y":"AA"})",
                           R"({"kty":"EC","crv":"P-256","x":"AA"})",
                           R"([1])"}) {
    INFO(text);
    CHECK_FALSE(vault::spki_from_jwk(providers::parse_json(text)));
  }
}

TEST_CASE("azure-key-vault: diagnosis says when the login certificate ends", "[providers]") {
  auto& world = rig();
  const crypto::KeyBundle& bundle = azure::registered(world.lab);
  const std::string pem =
      crypto::to_pem(bundle.chain) + std::string(must(crypto::to_pem(bundle.key)).reveal());
  const auto settings = with(with(of(world, "p256"), "auth", "client-certificate"),
                             "client_certificate",
                             world.file("login.pem", pem));

  CHECK(has(diagnose(world, settings), "client-certificate", Severity::info));
  const auto left = bundle.chain.front().not_after() - world.clock.now() - std::chrono::hours(48);
  world.clock.sleep_for(left);
  CHECK(has(diagnose(world, settings), "client-certificate-expires-soon", Severity::warning));
  world.clock.sleep_for(-left);
}

TEST_CASE("azure-key-vault: diagnosis spends nothing and says what is missing", "[providers]") {
  auto& world = rig();
  const auto good = diagnose(world, of(world, "rsa3072"));
  CHECK(has(good, "azure-login", Severity::info));
  CHECK(has(good, "signing-certificate", Severity::info));
  CHECK(has(good, "permission-untried", Severity::info));
  CHECK(std::none_of(good.begin(), good.end(), [](const Finding& one) {
    return one.severity == Severity::error;
  }));
  CHECK(has(diagnose(world, with(of(world, "rsa3072"), "chain", "")),
            "key-vault-chain-incomplete",
            Severity::warning));
  CHECK(has(diagnose(world, with(of(world, "rsa3072"), "certificate", "disabled")),
            "key-vault-key",
            Severity::error));
  CHECK(has(diagnose(world, with_secret(of(world, "rsa3072"), "client_secret", "wrong")),
            "azure-login",
            Severity::error));
  CHECK(has(diagnose(world, with(of(world, "rsa3072"), "vault_url", "")),
            "key-vault-settings",
            Severity::error));
  CHECK(world.lab.count(kSign) == 0);

  world.lab.set_clock_offset(std::chrono::minutes(10));
  const auto skewed = diagnose(world, of(world, "rsa3072"));
  world.lab.set_clock_offset(std::chrono::seconds(0));
  CHECK(has(skewed, "clock-skew", Severity::error));
}

}  // namespace signctl::test
