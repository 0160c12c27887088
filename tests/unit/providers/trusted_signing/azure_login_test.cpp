// SPDX-License-Identifier: Apache-2.0
#include "providers/common/azure_login.hpp"

#include "core/text.hpp"
#include "crypto/keys.hpp"
#include "fake/azure.hpp"
#include "fake/kms_wire.hpp"
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

/// An identity token as GitLab hands it over, with some claims changed.
std::string identity(fake::Rig& world, const fake::Json& changes = fake::Json::object()) {
  fake::Json claims{
      {"iss", "https://token.actions.githubusercontent.com"},
      {"sub", azure::kSubject},
      {"aud", "api://AzureADTokenExchange"},
      {"exp", (world.lab.now() + std::chrono::minutes(5)).time_since_epoch().count()}};
  claims.update(changes);
  return fake::make_jwt(claims, world.lab.pki().signer("rsa2048").key);
}

/// Keeps the bodies of what is sent.
class Recorder final : public HttpClient {
 public:
  explicit Recorder(HttpClient& inner) : inner_(inner) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    last = std::string(as_text(request.body));
    return inner_.send(request);
  }

  std::string last;

 private:
  HttpClient& inner_;
};

/// The header of the assertion in a form.
fake::Json assertion_header(const std::string& form) {
  const auto fields = fake::form_fields(form);
  REQUIRE(fields);
  const std::string& jwt = fields->at("client_assertion");
  const auto header = providers::from_any_base64(jwt.substr(0, jwt.find('.')));
  REQUIRE(header);
  return fake::Json::parse(as_text(*header));
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

TEST_CASE("azure login: Azure Machine Learning's managed identity", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string endpoint = world.server->url("entra") + "/ml/token";
  world.http->reroute(endpoint, endpoint);
  world.variables.set("MSI_ENDPOINT", endpoint);
  world.variables.set("MSI_SECRET", azure::kMsiSecret);
  const auto settings = with(named(world), "auth", "managed-identity");
  CHECK(is_good(world, token(world, settings)));

  const auto unnamed = with(settings, "client_id", "");
  CHECK_FALSE(token(world, unnamed));
  world.variables.set("DEFAULT_IDENTITY_CLIENT_ID", azure::kClient);
  CHECK(is_good(world, token(world, unnamed)));
  CHECK(description(world, with(named(world), "client_id", "")).find("managed identity") !=
        std::string::npos);

  world.variables.set("MSI_SECRET", "wrong-msi-secret");
  const auto refused = token(world, settings);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::auth);
}

TEST_CASE("azure login: Cloud Shell's managed identity", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::string endpoint = world.server->url("entra") + "/oauth2/token";
  world.http->reroute(endpoint, endpoint);
  world.variables.set("MSI_ENDPOINT", endpoint);
  const auto settings = with(named(world), "auth", "managed-identity");

  CHECK(is_good(world, token(world, with(settings, "client_id", ""))));
  const auto several = token(world, settings);
  REQUIRE_FALSE(several);
  CHECK(several.error().kind == ErrorKind::config);
  CHECK(several.error().message.find("Cloud Shell has a single identity") != std::string::npos);

  world.variables.set("MSI_ENDPOINT", "ftp://localhost/oauth2/token");
  const auto wrong = token(world, with(settings, "client_id", ""));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("MSI_ENDPOINT") != std::string::npos);
}

TEST_CASE("azure login: Service Fabric is recognised and refused, and nothing is asked there",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  world.variables.set("IDENTITY_ENDPOINT", world.server->url("entra") + "/identity");
  world.variables.set("IDENTITY_HEADER", azure::kIdentityHeader);
  world.variables.set("IDENTITY_SERVER_THUMBPRINT", "0011223344556677889900112233445566778899");

  for (const char* auth : {"managed-identity", "auto"}) {
    INFO(auth);
    const auto got = token(world, with(named(world), "auth", auth));

    REQUIRE_FALSE(got);
    CHECK(got.error().kind == ErrorKind::unsupported);
    CHECK(got.error().message.find("Service Fabric") != std::string::npos);
    CHECK(got.error().hint.find("workload-identity") != std::string::npos);
  }
  CHECK(world.lab.served().empty());
}

TEST_CASE("azure login: the metadata server of another cloud gives no identity",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  world.http->reroute("http://169.254.169.254", world.server->url("entra"));
  CHECK(description(world, named(world)).find("managed identity") != std::string::npos);
  fake::Fault page;
  page.kind = fake::FaultKind::html;
  page.times = -1;
  page.match = "/metadata/identity";
  world.lab.add(page);

  CHECK(description(world, named(world)).find("az command") != std::string::npos);
}

TEST_CASE("azure login: auto takes the first that there is something for", "[providers][azure]") {
  fake::Rig world({"entra"});
  const ProviderSettings base = named(world);
  world.http->reroute("http://169.254.169.254", "https://127.0.0.1:1");

  CHECK(description(world, base).find("az command") != std::string::npos);
  world.variables.set("IDENTITY_ENDPOINT", "http://127.0.0.1:1/identity");
  world.variables.set("IDENTITY_HEADER", azure::kIdentityHeader);
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

  world.file("token", identity(world) + "\n");
  CHECK(is_good(world, login.fetch()));
}

TEST_CASE("azure login: a given identity token comes before a variable's secret",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  const auto settings = with_secret(with_secret(named(world), "client_secret", "of a variable"),
                                    "federated_token",
                                    identity(world));

  CHECK(description(world, settings).find("given identity token") != std::string::npos);
  CHECK(is_good(world, token(world, settings)));
}

TEST_CASE("azure login: an identity token that is not let in says why", "[providers][azure]") {
  fake::Rig world({"entra"});
  const std::vector<std::tuple<fake::Json, ErrorKind, std::string>> table{
      {{{"iss", "https://gitlab.example"}}, ErrorKind::config, "issuer"},
      {{{"aud", "https://gitlab.example"}}, ErrorKind::config, "audience"},
      {{{"sub", "project_path:contoso/other"}}, ErrorKind::config, "subject"},
      {{{"exp", 1}}, ErrorKind::auth, "time of validity"}};
  for (const auto& [changes, kind, word] : table) {
    INFO(word);
    const std::string jwt = identity(world, changes);

    const auto got = token(world, with_secret(named(world), "federated_token", jwt));

    REQUIRE_FALSE(got);
    CHECK(got.error().kind == kind);
    CHECK(got.error().message.find(word) != std::string::npos);
    CHECK(text_of(got.error()).find(jwt.substr(jwt.rfind('.'))) == std::string::npos);
    if (kind == ErrorKind::config) {
      const std::string changed = changes.begin().value().get<std::string>();
      CHECK(got.error().hint.find(changed) != std::string::npos);
    }
  }
}

TEST_CASE("azure login: the certificate's issuers are sent when they are asked for",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  const crypto::KeyBundle& bundle = azure::registered(world.lab);
  const std::string pem =
      crypto::to_pem(bundle.chain) + std::string(must(crypto::to_pem(bundle.key)).reveal());
  const auto settings = with(with(named(world), "auth", "client-certificate"),
                             "client_certificate",
                             world.file("login.pem", pem));
  Recorder http(*world.http);
  const auto header = [&] {
    const auto login = must(
        providers::azure::choose_login(settings, {world.clock, world.variables, http}, kResource));
    CHECK(is_good(world, login.fetch()));
    return assertion_header(http.last);
  };

  CHECK_FALSE(header().contains("x5c"));
  world.variables.set("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true");
  const fake::Json sent = header()["x5c"];
  // Leaf and intermediate; whoever trusts the root has it.
  REQUIRE(sent.size() == 2);
  CHECK(sent[0] == to_base64(bundle.chain[0].der()));
  CHECK(sent[1] == to_base64(bundle.chain[1].der()));
}

TEST_CASE("azure login: trouble of the login service is waited out", "[providers][azure]") {
  fake::Rig world({"entra"});
  const auto settings = with_secret(
      with(named(world), "auth", "client-secret"), "client_secret", azure::kClientSecret);
  Fault throttled = entra_error("50196");
  throttled.status = 429;
  throttled.headers["Retry-After"] = "3";
  throttled.body = "{}";
  Fault page = throttled;
  page.status = 503;
  page.body = "<html>";
  for (const Fault& fault : {throttled, page, entra_error("90033")}) {
    world.lab.add(fault);
    CHECK(is_good(world, token(world, settings)));
  }
}

TEST_CASE("azure login: a metadata service that is being updated is asked again",
          "[providers][azure]") {
  fake::Rig world({"entra"});
  world.http->reroute("http://169.254.169.254", world.server->url("entra"));
  Fault gone;
  gone.match = "/metadata/identity";
  gone.status = 410;
  gone.times = 2;
  world.lab.add(gone);

  CHECK(is_good(world, token(world, with(named(world), "auth", "managed-identity"))));
  CHECK(world.lab.count("/metadata/identity") == 3);

  const Error error =
      token(world,
            with(with(named(world), "auth", "managed-identity"), "client_id", "somebody-else"))
          .error();
  CHECK(error.kind == ErrorKind::auth);
  CHECK(error.hint.find("client_id") != std::string::npos);
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
