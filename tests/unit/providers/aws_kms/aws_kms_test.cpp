// SPDX-License-Identifier: Apache-2.0
#include "fake/aws_kms.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "fake/rig.hpp"
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
  static fake::Rig made({"aws-kms"});
  made.lab.clear_faults();
  made.lab.forget();
  made.lab.set_clock_offset({});
  return made;
}

ProviderSettings settings_for(fake::Rig& world, const std::string& kind) {
  return with(with(world.settings("aws-kms"), "key_id", "alias/" + kind),
              "chain",
              world.chain_file(kind == "disabled" || kind == "encryption" ? "rsa2048" : kind));
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("aws-kms")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session, DigestAlg alg = DigestAlg::sha256) {
  return session.sign(crypto::hash(alg, as_bytes("content")), alg);
}

Fault refuse(const std::string& exception, int times = 1) {
  Fault fault;
  fault.status = 400;
  fault.times = times;
  fault.headers = {{"content-type", "application/x-amz-json-1.1"}};
  fault.body = R"({"__type":"com.amazonaws.kms#)" + exception + R"(","message":"no"})";
  return fault;
}

}  // namespace

TEST_CASE("aws-kms: keys go by alias with or without its prefix, and by ARN",
          "[providers][aws_kms]") {
  auto& world = rig();
  const auto settings = settings_for(world, "p256");
  for (const std::string id :
       {"p256", "alias/p256", "arn:aws:kms:eu-central-1:111122223333:alias/p256"}) {
    INFO(id);
    must(sign(*must(open(world, with(settings, "key_id", id)))));
  }

  // An ARN says the region itself.
  auto elsewhere = with(settings, "key_id", "arn:aws:kms:eu-central-1:111122223333:alias/p256");
  must(sign(*must(open(world, with(elsewhere, "region", "us-east-1")))));
}

TEST_CASE("aws-kms: the region comes from the variables too", "[providers][aws_kms]") {
  fake::Rig world({"aws-kms"});
  auto settings = settings_for(world, "p256");
  settings.values.erase("region");
  CHECK(refusal(world, settings).kind == ErrorKind::config);

  world.variables.set("AWS_DEFAULT_REGION", fake::aws::kRegion);

  must(open(world, settings));
}

TEST_CASE("aws-kms: a region that is none is refused before anything is sent",
          "[providers][aws_kms]") {
  auto& world = rig();

  const Error error = refusal(world, with(settings_for(world, "p256"), "region", "x.evil.example"));

  CHECK(error.kind == ErrorKind::config);
  CHECK(world.lab.served().empty());
}

TEST_CASE("aws-kms: sessions share one lookup of the key", "[providers][aws_kms]") {
  auto& world = rig();
  const auto first = must(open(world, settings_for(world, "p256")));

  for (int i = 0; i < 5; ++i) {
    must(sign(*must(first->another())));
  }

  CHECK(world.lab.count("POST /aws-kms/") == 6);
}

TEST_CASE("aws-kms: refusals say what to do", "[providers][aws_kms]") {
  auto& world = rig();
  struct Row {
    std::string key;
    ErrorKind kind;
    std::string text;
  };
  const Row row = GENERATE(values<Row>(
      {{"alias/nobody", ErrorKind::config, "key alias/nobody not found in eu-central-1"},
       {"alias/disabled", ErrorKind::provider, "DisabledException"},
       {"alias/encryption", ErrorKind::config, "for ENCRYPT_DECRYPT, not for signing"}}));
  INFO(row.key);

  const Error error = refusal(world, with(settings_for(world, "rsa2048"), "key_id", row.key));

  INFO(text_of(error));
  CHECK(error.kind == row.kind);
  CHECK(text_of(error).find(row.text) != std::string::npos);
  CHECK_FALSE(error.hint.empty());
}

TEST_CASE("aws-kms: who may not sign is told which permission it takes", "[providers][aws_kms]") {
  auto& world = rig();
  auto settings = with(settings_for(world, "p256"), "access_key_id", fake::aws::kReaderAccessKey);
  settings = with_secret(settings, "secret_access_key", fake::aws::kReaderSecretKey);
  const auto session = must(open(world, settings));

  const auto result = sign(*session);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::auth);
  CHECK(result.error().hint.find("kms:Sign") != std::string::npos);
}

TEST_CASE("aws-kms: a certificate of another key is refused before signing",
          "[providers][aws_kms]") {
  auto& world = rig();

  const Error error =
      refusal(world, with(settings_for(world, "p256"), "chain", world.chain_file("p256", 1)));

  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.find("was not issued for the key alias/p256") != std::string::npos);
}

TEST_CASE("aws-kms: a digest that the key does not sign costs no call", "[providers][aws_kms]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  world.lab.forget();

  const auto result = sign(*session, DigestAlg::sha384);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unsupported);
  CHECK(result.error().message.find("ECDSA_SHA_256") != std::string::npos);
  const auto checked = session->check_digest(DigestAlg::sha384);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message == result.error().message);
  CHECK(session->check_digest(DigestAlg::sha256));
  CHECK(world.lab.served().empty());
}

TEST_CASE("aws-kms: throttling, which comes as 400, is waited out", "[providers][aws_kms]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
  world.lab.add(refuse("ThrottlingException", 2));

  must(sign(*session));

  CHECK(world.lab.count("POST /aws-kms/") == 4);
}

TEST_CASE("aws-kms: a refused credential is not tried again", "[providers][aws_kms]") {
  auto& world = rig();

  const Error error = refusal(
      world, with_secret(settings_for(world, "p256"), "secret_access_key", "another/secret"));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint == "check the secret access key");
  CHECK(world.lab.served().size() == 1);
}

TEST_CASE("aws-kms: the request that AWS repeats in a refusal is not shown",
          "[providers][aws_kms]") {
  auto& world = rig();
  Fault fault = refuse("InvalidSignatureException");
  fault.body = R"({"__type":"InvalidSignatureException","message":"The request signature we )"
               R"(calculated does not match. The Canonical String for this request should have )"
               R"(been\n'POST\nx-amz-security-token:session-token-text'"})";
  world.lab.add(fault);

  const Error error = refusal(world, settings_for(world, "p256"));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message.ends_with("calculated does not match."));
  CHECK(text_of(error).find("session-token-text") == std::string::npos);
}

TEST_CASE("aws-kms: a clock that is off is corrected by the service's", "[providers][aws_kms]") {
  auto& world = rig();
  const auto minutes = GENERATE(-20, 20);
  world.lab.set_clock_offset(std::chrono::minutes{minutes});

  const auto session = must(open(world, settings_for(world, "p256")));
  must(sign(*session));

  CHECK(world.lab.count("POST /aws-kms/") == 3);
  world.lab.set_clock_offset({});
}

TEST_CASE("aws-kms: troubles of every kind are told apart", "[providers][aws_kms]") {
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

TEST_CASE("aws-kms: lies about signatures are caught", "[providers][aws_kms]") {
  auto& world = rig();
  const auto session = must(open(world, settings_for(world, "p256")));
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

TEST_CASE("aws-kms: doctor says who signs with what, without signing", "[providers][aws_kms]") {
  auto& world = rig();

  const auto findings =
      find_provider("aws-kms")->diagnose(settings_for(world, "rsa3072"), world.world());

  INFO(text_of(findings));
  CHECK(ids_of(findings, Severity::warning).empty());
  CHECK(ids_of(findings, Severity::info) ==
        "aws-kms-identity aws-kms-key aws-kms-permission clock signing-certificate");
  CHECK(text_of(findings).find("arn:aws:iam::111122223333:user/release") != std::string::npos);
}

TEST_CASE("aws-kms: doctor finds what would fail", "[providers][aws_kms]") {
  auto& world = rig();
  const auto good = settings_for(world, "p256");
  const auto ids = [&](const ProviderSettings& settings) {
    return ids_of(find_provider("aws-kms")->diagnose(settings, world.world()));
  };
  auto reader = with(good, "access_key_id", fake::aws::kReaderAccessKey);
  reader = with_secret(reader, "secret_access_key", fake::aws::kReaderSecretKey);
  auto no_chain = good;
  no_chain.values.erase("chain");

  CHECK(ids(reader) == "aws-kms-permission");
  CHECK(ids(no_chain) == "aws-kms-chain");
  CHECK(ids(with(good, "chain", world.chain_file("p256", 1))) == "aws-kms-certificate");
  CHECK(ids(with(good, "key_id", "alias/disabled")) == "aws-kms-key");
  CHECK(ids(with(good, "auth", "magic")) == "aws-kms-settings");
  CHECK(ids(with_secret(good, "secret_access_key", "another/secret")) == "aws-kms-key");
  auto profile = with(good, "auth", "profile");
  CHECK(ids(profile) == "aws-kms-login");
}

}  // namespace signctl::test
