// SPDX-License-Identifier: Apache-2.0
#include "fake/google_kms.hpp"

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
namespace google = fake::google;
using fake::Json;

/// One for the whole program, because making keys takes time; faults and counts begin anew.
fake::Rig& rig() {
  static fake::Rig made({"google-kms"});
  made.lab.clear_faults();
  made.lab.forget();
  made.lab.set_clock_offset({});
  return made;
}

/// Settings for a key by its whole name and the kind that its certificate is of.
ProviderSettings settings_for(fake::Rig& world, const std::string& key, const std::string& kind) {
  return with(with(world.settings("google-kms"), "key", key), "chain", world.chain_file(kind));
}

ProviderSettings p256(fake::Rig& world) {
  return settings_for(world, google::version_name("p256"), "p256");
}

/// Those settings with a credentials file instead of a token.
ProviderSettings with_file(fake::Rig& world, const Json& content) {
  auto settings = with(p256(world), "credentials", world.file("google.json", content.dump()));
  settings.secrets.clear();
  return settings;
}

std::string base_url(fake::Rig& world) {
  return world.server->url("google-kms");
}

Result<std::unique_ptr<SigningSession>> open(fake::Rig& world, const ProviderSettings& settings) {
  return find_provider("google-kms")->open(settings, world.world());
}

Error refusal(fake::Rig& world, const ProviderSettings& settings) {
  const auto session = open(world, settings);
  return session ? Error{ErrorKind::internal, "was opened"} : session.error();
}

Result<SignedDigest> sign(SigningSession& session, DigestAlg alg = DigestAlg::sha256) {
  return session.sign(crypto::hash(alg, as_bytes("content")), alg);
}

Fault refuse(int status, const std::string& name, const std::string& message = "no") {
  Fault fault;
  fault.status = status;
  fault.body = Json{{"error", {{"code", status}, {"message", message}, {"status", name}}}}.dump();
  return fault;
}

}  // namespace

TEST_CASE("google-kms: without a version the one of the certificate is found",
          "[providers][google_kms]") {
  auto& world = rig();
  const auto newest = settings_for(world, google::key_name("rotated"), "rsa2048");

  must(sign(*must(open(world, newest))));
  CHECK(world.lab.count("/publicKey") == 2);

  must(sign(*must(open(world, with(newest, "chain", world.chain_file("rsa2048", 1))))));
  CHECK(world.lab.count("cryptoKeyVersions/2:asymmetricSign") == 1);
  CHECK(refusal(world, with(newest, "chain", world.chain_file("p256"))).kind == ErrorKind::config);
}

TEST_CASE("google-kms: names are checked before anything is sent", "[providers][google_kms]") {
  auto& world = rig();
  const auto kind_of = [&](const std::string& key) {
    return refusal(world, with(p256(world), "key", key)).kind;
  };
  const std::string good = google::version_name("p256");

  CHECK(kind_of("codesign") == ErrorKind::config);
  CHECK(kind_of(good + "/") == ErrorKind::config);
  CHECK(kind_of(good + "/more") == ErrorKind::config);
  CHECK(kind_of("projects/../locations/l/keyRings/r/cryptoKeys/k") == ErrorKind::config);
  CHECK(kind_of("projects/p?x/locations/l/keyRings/r/cryptoKeys/k") == ErrorKind::config);
  CHECK(kind_of("projects/p/locations/l/keyring/r/cryptoKeys/k") == ErrorKind::config);
  CHECK(world.lab.served().empty());

  must(open(world, with(p256(world), "key", "gcpkms://" + good)));
  must(open(world, with(p256(world), "key", "//cloudkms.googleapis.com/" + good)));
}

TEST_CASE("google-kms: sessions share one lookup of the key", "[providers][google_kms]") {
  auto& world = rig();
  const auto first = must(open(world, p256(world)));

  for (int i = 0; i < 5; ++i) {
    must(sign(*must(first->another())));
  }

  CHECK(world.lab.count("/publicKey") == 1);
  CHECK(world.lab.served().size() == 6);
}

TEST_CASE("google-kms: an answer damaged on the way is asked for again",
          "[providers][google_kms]") {
  auto& world = rig();
  const auto damaged = settings_for(world, google::version_name("damaged"), "p256");
  must(sign(*must(open(world, damaged))));
  CHECK(world.lab.count(":asymmetricSign") == 2);

  for (const std::string key : {"ruined", "unverified", "misnamed"}) {
    INFO(key);
    world.lab.forget();
    const auto result =
        sign(*must(open(world, settings_for(world, google::version_name(key), "p256"))));

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::provider);
    CHECK(result.error().message.find("CRC32C") != std::string::npos);
    // Each of them may be counted.
    CHECK(result.error().hint.find("may have counted") != std::string::npos);
    CHECK(world.lab.count(":asymmetricSign") == 2);
  }
}

TEST_CASE("google-kms: a digest other than the key's costs no call", "[providers][google_kms]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  world.lab.forget();

  const auto result = sign(*session, DigestAlg::sha512);

  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::unsupported);
  CHECK(result.error().message.find("EC_SIGN_P256_SHA256") != std::string::npos);
  CHECK(world.lab.served().empty());
}

TEST_CASE("google-kms: PSS keys are refused, which Windows does not verify",
          "[providers][google_kms]") {
  auto& world = rig();

  const Error error = refusal(world, settings_for(world, google::version_name("pss"), "rsa2048"));

  CHECK(error.kind == ErrorKind::unsupported);
  CHECK(error.message.find("RSA_SIGN_PSS_2048_SHA256") != std::string::npos);
}

TEST_CASE("google-kms: refusals say what to do", "[providers][google_kms]") {
  auto& world = rig();
  const Error absent = refusal(world, with(p256(world), "key", google::version_name("nobody")));
  CHECK(absent.kind == ErrorKind::config);
  CHECK(absent.hint.find("location") != std::string::npos);

  const Error disabled =
      refusal(world, settings_for(world, google::version_name("rotated", 3), "rsa2048"));
  CHECK(disabled.kind == ErrorKind::provider);
  CHECK(disabled.message.find("KEY_DISABLED") != std::string::npos);

  const Error other = refusal(world, with(p256(world), "chain", world.chain_file("p256", 1)));
  CHECK(other.kind == ErrorKind::config);
  CHECK(other.message.find("was not issued for the key") != std::string::npos);

  const auto reader = with_secret(p256(world), "token", google::kReaderToken);
  const auto denied = sign(*must(open(world, reader)));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::auth);
  CHECK(denied.error().message.find("useToSign") != std::string::npos);
  CHECK(denied.error().hint.find("roles/cloudkms.signerVerifier") != std::string::npos);
}

TEST_CASE("google-kms: an API that is switched off is told from a lack of permission",
          "[providers][google_kms]") {
  auto& world = rig();
  Fault fault = refuse(403, "PERMISSION_DENIED");
  Json body = Json::parse(fault.body);
  body["error"]["details"] = Json::array(
      {{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"}, {"reason", "SERVICE_DISABLED"}}});
  fault.body = body.dump();
  world.lab.add(fault);

  const Error error = refusal(world, p256(world));

  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("switch the Cloud KMS API on") != std::string::npos);
}

TEST_CASE("google-kms: an answer without a signature is not asked for again",
          "[providers][google_kms]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  for (const std::string body : {"<html>", "", "[]", "{}"}) {
    INFO(body);
    world.lab.forget();
    Fault fault;
    fault.status = 200;
    fault.body = body;
    fault.match = ":asymmetricSign";
    world.lab.add(fault);

    const auto result = sign(*session);

    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::provider);
    CHECK(result.error().message.find("without a signature") != std::string::npos);
    CHECK(world.lab.count(":asymmetricSign") == 1);
  }
}

TEST_CASE("google-kms: a page that is not there is a wrong setting", "[providers][google_kms]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  Fault fault;
  fault.status = 404;
  fault.match = ":asymmetricSign";
  world.lab.add(fault);

  CHECK(sign(*session).error().kind == ErrorKind::config);
}

TEST_CASE("google-kms: states that pass are waited out", "[providers][google_kms]") {
  auto& world = rig();
  const auto session = must(open(world, p256(world)));
  world.lab.add(refuse(429, "RESOURCE_EXHAUSTED"));
  world.lab.add(refuse(503, "UNAVAILABLE"));
  world.lab.add(refuse(409, "ABORTED"));

  must(sign(*session));

  CHECK(world.lab.count(":asymmetricSign") == 4);
}

TEST_CASE("google-kms: troubles of every kind are told apart", "[providers][google_kms]") {
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

TEST_CASE("google-kms: lies about signatures are caught", "[providers][google_kms]") {
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

TEST_CASE("google login: a service account signs its own assertion", "[providers][google_kms]") {
  auto& world = rig();
  const auto settings = with_file(world, google::service_account_file(world.lab, base_url(world)));

  must(sign(*must(open(world, settings))));

  CHECK(world.lab.count("POST /google-kms/token") == 1);
}

TEST_CASE("google login: a clock that is off is corrected by the token service's",
          "[providers][google_kms]") {
  auto& world = rig();
  const auto settings = with_file(world, google::service_account_file(world.lab, base_url(world)));
  world.lab.set_clock_offset(std::chrono::hours{-2});

  must(open(world, settings));

  CHECK(world.lab.count("POST /google-kms/token") == 2);
  world.lab.set_clock_offset({});
}

TEST_CASE("google login: a service account's key that is unknown is refused at once",
          "[providers][google_kms]") {
  auto& world = rig();
  Json file = google::service_account_file(world.lab, base_url(world));
  const auto other = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::rsa2048));
  const Secret pem = must(crypto::to_pem(other));
  file["private_key"] = std::string(pem.reveal());

  const Error error = refusal(world, with_file(world, file));

  INFO(text_of(error));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message.find("Invalid JWT Signature") != std::string::npos);
  CHECK(text_of(error).find("PRIVATE KEY") == std::string::npos);
  CHECK(world.lab.served().size() == 1);
}

TEST_CASE("google login: workload identity is exchanged and takes on the service account",
          "[providers][google_kms]") {
  auto& world = rig();
  Json file = google::external_account_file(base_url(world));
  must(sign(*must(open(world, with_file(world, file)))));
  CHECK(world.lab.count("GET /google-kms/identity") == 1);
  CHECK(world.lab.count(":generateAccessToken") == 1);

  const std::string token = world.file("subject", google::identity_token(world.lab) + "\n");
  file["credential_source"] = {{"file", token}};
  must(sign(*must(open(world, with_file(world, file)))));

  file["audience"] = "//iam.googleapis.com/projects/2/other";
  const Error error = refusal(world, with_file(world, file));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("projects/2/other") != std::string::npos);
}

TEST_CASE("google login: gcloud's user file is found and traded in", "[providers][google_kms]") {
  auto& world = rig();
  auto settings = p256(world);
  settings.secrets.clear();
  world.file("application_default_credentials.json",
             google::authorized_user_file(base_url(world)).dump());
  world.variables.set("CLOUDSDK_CONFIG", world.folder.path());

  must(sign(*must(open(world, settings))));
  world.variables.set("CLOUDSDK_CONFIG", "");

  Json file = google::authorized_user_file(base_url(world));
  file["refresh_token"] = "1//revoked";
  const Error error = refusal(world, with_file(world, file));
  CHECK(error.kind == ErrorKind::auth);
  CHECK(text_of(error).find("1//revoked") == std::string::npos);
}

TEST_CASE("google login: the metadata server is the last to be asked", "[providers][google_kms]") {
  fake::Rig world({"google-kms"});
  auto settings = p256(world);
  settings.secrets.clear();
  world.http->reroute("http://169.254.169.254/", base_url(world) + "/metadata/");
  must(sign(*must(open(world, settings))));

  fake::Rig lonely({"google-kms"});
  lonely.http->reroute("http://169.254.169.254/", "http://127.0.0.1:1/");
  auto nothing = p256(lonely);
  nothing.secrets.clear();
  const Error error = refusal(lonely, nothing);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.message.find("no Google credentials were found") != std::string::npos);
}

TEST_CASE("google login: files that cannot be used say why", "[providers][google_kms]") {
  auto& world = rig();
  const std::string url = base_url(world);
  const auto kind_of = [&](const Json& file) {
    const Error error = refusal(world, with_file(world, file));
    INFO(text_of(error));
    return error.kind;
  };
  Json program = google::external_account_file(url);
  program["credential_source"] = {{"executable", {{"command", "x"}}}};
  Json insecure = google::external_account_file(url);
  insecure["token_url"] = "http://sts.example/token";
  Json bad_key = google::service_account_file(world.lab, url);
  bad_key["private_key"] = "no key";
  Json no_source = google::external_account_file(url);
  no_source.erase("credential_source");

  CHECK(kind_of(Json::array()) == ErrorKind::config);
  CHECK(kind_of({{"type", "magic"}}) == ErrorKind::config);
  CHECK(kind_of({{"type", "service_account"}}) == ErrorKind::config);
  CHECK(kind_of({{"type", "authorized_user"}}) == ErrorKind::config);
  CHECK(kind_of(program) == ErrorKind::config);
  CHECK(kind_of(insecure) == ErrorKind::config);
  CHECK(kind_of(bad_key) == ErrorKind::config);
  CHECK(kind_of(no_source) == ErrorKind::config);
  CHECK(refusal(world, with(p256(world), "credentials", "/nowhere")).kind ==
        ErrorKind::internal);  // A token is there, so the file is not asked for.
}

TEST_CASE("google login: a token that ends is had again, and one login serves all workers",
          "[providers][google_kms]") {
  fake::Rig world({"google-kms"});
  const auto first =
      must(open(world, with_file(world, google::service_account_file(world.lab, base_url(world)))));
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
  CHECK(world.lab.count("POST /google-kms/token") == 1);

  world.clock.sleep_for(std::chrono::minutes{56});
  must(sign(*first));
  CHECK(world.lab.count("POST /google-kms/token") == 2);

  Fault refused = refuse(401, "UNAUTHENTICATED");
  world.lab.add(refused);
  must(sign(*first));
  CHECK(world.lab.count("POST /google-kms/token") == 3);
}

TEST_CASE("google-kms: doctor says what there is and what is missing", "[providers][google_kms]") {
  auto& world = rig();
  const auto good = p256(world);
  const auto diagnose = [&](const ProviderSettings& settings) {
    return find_provider("google-kms")->diagnose(settings, world.world());
  };
  auto no_chain = good;
  no_chain.values.erase("chain");

  CHECK(ids_of(diagnose(good), Severity::info) ==
        "clock google-kms-key google-kms-login google-kms-permission signing-certificate");
  CHECK(ids_of(diagnose(good), Severity::warning).empty());
  CHECK(world.lab.count(":asymmetricSign") == 0);
  CHECK(ids_of(diagnose(with_secret(good, "token", google::kReaderToken))) ==
        "google-kms-permission");
  CHECK(ids_of(diagnose(with_secret(good, "token", "ya29.wrong"))) == "google-kms-key");
  CHECK(ids_of(diagnose(no_chain)) == "google-kms-chain");
  CHECK(ids_of(diagnose(with(good, "key", "x"))) == "google-kms-settings");
  world.lab.set_clock_offset(std::chrono::minutes{10});
  CHECK(ids_of(diagnose(good)) == "clock-skew");
  world.lab.set_clock_offset({});
}

}  // namespace signctl::test
