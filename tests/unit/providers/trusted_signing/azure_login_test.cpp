// SPDX-License-Identifier: Apache-2.0
#include "providers/common/azure_login.hpp"

#include "core/text.hpp"
#include "crypto/keys.hpp"
#include "fake/azure.hpp"
#include "fake/rig.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <tuple>
#include <vector>

namespace signctl::test {
namespace {

using fake::Fault;
using fake::with;
using fake::with_secret;
namespace azure = fake::azure;

constexpr const char* kResource = "https://codesigning.azure.net";
constexpr const char* kTokenRoute = "/oauth2/v2.0/token";

ProviderSettings named(const fake::Rig& world) {
  ProviderSettings settings;
  settings.values = {{"authority", world.server->url("entra")},
                     {"tenant_id", azure::kTenant},
                     {"client_id", azure::kClient},
                     {"ca_file", world.folder.file("ca.pem")}};
  return settings;
}

Result<providers::azure::AccessToken> token(fake::Rig& world, const ProviderSettings& settings) {
  SIGNCTL_TRY(
      const auto login, providers::azure::choose_login(settings, world.world(), kResource), "");
  return login.fetch();
}

bool is_good(fake::Rig& world, const Result<providers::azure::AccessToken>& got) {
  if (!got) {
    UNSCOPED_INFO(text_of(got.error()));
    return false;
  }
  const auto claims = world.lab.granted(std::string(got->text.reveal()));
  return claims && (*claims)["aud"] == kResource && got->expires.has_value();
}

std::string description(fake::Rig& world, const ProviderSettings& settings) {
  const auto login = providers::azure::choose_login(settings, world.world(), kResource);
  return login ? login->description : text_of(login.error());
}

Fault entra_error(const std::string& code) {
  Fault fault;
  fault.match = kTokenRoute;
  fault.status = 401;
  fault.body = R"({"error":"invalid_client","error_description":"AADSTS)" + code +
               R"(: words","error_codes":[)" + code + "]}";
  return fault;
}

}  // namespace

TEST_CASE("azure login: every way ends with a token for the resource", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string entra = world.server->url("entra");
  const ProviderSettings base = named(world);
  const auto as = [&](const char* auth) { return with(base, "auth", auth); };

  CHECK(is_good(
      world,
      token(world, with_secret(as("client-secret"), "client_secret", azure::kClientSecret))));

  const crypto::KeyBundle& bundle = azure::registered(world.lab);
  const Bytes pfx = must(crypto::write_pkcs12(bundle, Secret("pw"), "login"));
  const std::string pem =
      crypto::to_pem(bundle.chain) + std::string(must(crypto::to_pem(bundle.key)).reveal());
  CHECK(is_good(world,
                token(world,
                      with_secret(with(as("client-certificate"),
                                       "client_certificate",
                                       world.file("login.pfx", as_text(pfx))),
                                  "client_certificate_password",
                                  "pw"))));
  CHECK(is_good(
      world,
      token(world,
            with(as("client-certificate"), "client_certificate", world.file("login.pem", pem)))));

  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL", entra + "/github/token?api-version=2.0");
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", azure::kRequestToken);
  world.http->reroute(entra + "/github", entra + "/github");
  CHECK(is_good(world, token(world, as("workload-identity"))));
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL", "");

  world.variables.set("SYSTEM_OIDCREQUESTURI", entra + "/ado/token");
  world.variables.set("SYSTEM_ACCESSTOKEN", azure::kSystemToken);
  world.http->reroute(entra + "/ado", entra + "/ado");
  CHECK(is_good(world, token(world, as("workload-identity"))));
  world.variables.set("SYSTEM_OIDCREQUESTURI", "");

  world.variables.set("IDENTITY_ENDPOINT", entra + "/identity");
  world.variables.set("IDENTITY_HEADER", azure::kIdentityHeader);
  world.http->reroute(entra + "/identity", entra + "/identity");
  CHECK(is_good(world, token(world, as("managed-identity"))));
  world.variables.set("IDENTITY_ENDPOINT", "");
  world.http->reroute("http://169.254.169.254", entra);
  CHECK(is_good(world, token(world, as("managed-identity"))));
}

TEST_CASE("azure login: auto takes the first that there is something for", "[providers][azure]") {
  fake::Rig world({"entra"});
  const ProviderSettings base = named(world);
  world.http->reroute("http://169.254.169.254", "https://127.0.0.1:1");

  CHECK(description(world, base).find("az command") != std::string::npos);
  world.variables.set("IDENTITY_ENDPOINT", "http://127.0.0.1:1/identity");
  CHECK(description(world, base).find("managed identity") != std::string::npos);
  world.variables.set("SYSTEM_OIDCREQUESTURI", "https://vstoken.example/");
  world.variables.set("SYSTEM_ACCESSTOKEN", "token");
  CHECK(description(world, base).find("Azure DevOps") != std::string::npos);
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL", "https://actions.example/");
  CHECK(description(world, base).find("GitHub") != std::string::npos);
  const auto secret = with_secret(base, "client_secret", "s");
  CHECK(description(world, secret).find("client secret") != std::string::npos);
  world.variables.set("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token");
  CHECK(description(world, secret).find("AZURE_FEDERATED_TOKEN_FILE") != std::string::npos);
}

TEST_CASE("azure login: only one way is tried", "[providers][azure]") {
  fake::Rig world({"entra"});
  world.variables.set("IDENTITY_ENDPOINT", world.server->url("entra") + "/identity");
  world.variables.set("IDENTITY_HEADER", azure::kIdentityHeader);

  const auto got = token(world, with_secret(named(world), "client_secret", "wrong"));

  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::auth);
  CHECK(world.lab.count("/identity") == 0);
  CHECK(world.lab.count(kTokenRoute) == 1);
}

TEST_CASE("azure login: Microsoft's codes become causes", "[providers][azure]") {
  fake::Rig world({"entra"});
  const auto settings =
      with_secret(with(named(world), "auth", "client-secret"), "client_secret", "irrelevant");
  const std::vector<std::tuple<std::string, ErrorKind, std::string>> table{
      {"7000215", ErrorKind::auth, "value, not its id"},
      {"7000222", ErrorKind::auth, "make a new one"},
      {"700016", ErrorKind::config, "client_id"},
      {"90002", ErrorKind::config, "tenant_id"},
      {"700027", ErrorKind::auth, "clock"},
      {"500011", ErrorKind::config, "Microsoft.CodeSigning"},
      {"70025", ErrorKind::config, "federated"},
      {"53003", ErrorKind::auth, "Conditional Access"},
      {"123456", ErrorKind::auth, "AADSTS123456"}};
  for (const auto& [code, kind, word] : table) {
    INFO(code);
    world.lab.add(entra_error(code));

    const auto got = token(world, settings);

    REQUIRE_FALSE(got);
    INFO(text_of(got.error()));
    CHECK(got.error().kind == kind);
    CHECK((got.error().message + got.error().hint).find(word) != std::string::npos);
    CHECK(text_of(got.error()).find("irrelevant") == std::string::npos);
  }
}

TEST_CASE("azure login: an identity that no credential has is shown to compare",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string entra = world.server->url("entra");
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL", entra + "/github/token?api-version=2.0");
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", azure::kRequestToken);
  world.http->reroute(entra + "/github", entra + "/github");
  world.lab.add(entra_error("700213"));

  const auto got = token(world, with(named(world), "auth", "workload-identity"));

  REQUIRE_FALSE(got);
  CHECK(got.error().hint.find("repo:contoso/studio:ref:refs/tags/v1") != std::string::npos);
}

TEST_CASE("azure login: an assertion that came too late is made anew, once", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string entra = world.server->url("entra");
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_URL", entra + "/github/token?api-version=2.0");
  world.variables.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", azure::kRequestToken);
  world.http->reroute(entra + "/github", entra + "/github");
  const auto settings = with(named(world), "auth", "workload-identity");
  world.lab.add(entra_error("700024"));

  CHECK(is_good(world, token(world, settings)));
  CHECK(world.lab.count("/github/token") == 2);

  Fault always = entra_error("700024");
  always.times = -1;
  world.lab.add(always);
  world.lab.forget();
  CHECK_FALSE(token(world, settings));
  CHECK(world.lab.count("/github/token") == 2);
}

TEST_CASE("azure login: a token file is read anew each time", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string path = world.file("token", "not a token");
  world.variables.set("AZURE_FEDERATED_TOKEN_FILE", path);
  const auto login = must(providers::azure::choose_login(named(world), world.world(), kResource));
  CHECK_FALSE(login.fetch());

  const auto given = with_secret(
      with(named(world), "auth", "workload-identity"), "federated_token", "also.not.one");
  CHECK(description(world, given).find("given identity token") != std::string::npos);
}

TEST_CASE("azure login: a job that may have no identity token hears what to add",
          "[providers][azure]") {
  fake::Rig world({"entra"});

  const auto got = token(world, with(named(world), "auth", "workload-identity"));

  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::auth);
  CHECK(got.error().hint.find("id-token: write") != std::string::npos);
  CHECK(got.error().hint.find("SYSTEM_ACCESSTOKEN") != std::string::npos);
}

TEST_CASE("azure login: what lacks a setting says which", "[providers][azure]") {
  fake::Rig world({"entra"});
  for (const char* auth : {"client-secret", "client-certificate", "workload-identity"}) {
    for (const char* missing : {"tenant_id", "client_id"}) {
      const auto settings = with(with(named(world), "auth", auth), missing, "");

      const auto login = providers::azure::choose_login(settings, world.world(), kResource);

      REQUIRE_FALSE(login);
      CHECK(login.error().kind == ErrorKind::config);
      CHECK(login.error().message.find(missing) != std::string::npos);
    }
  }
}

}  // namespace signctl::test
