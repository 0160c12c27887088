// SPDX-License-Identifier: Apache-2.0
// Real services' answers, recorded by others (../shared/testdata/recorded-replies), given to the
// providers. What was signed is not known, so none of the signatures can verify here: an answer
// has been understood when the provider says exactly that, of the recorded certificate.
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "providers/azure_key_vault/key.hpp"
#include "providers/common/rest.hpp"
#include "providers/google_kms/crc32c.hpp"
#include "providers/google_kms/key.hpp"
#include "providers/trusted_signing/account.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/issued.hpp"
#include "support/key_files.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

namespace signctl::test {
namespace {

using crypto::Certificate;
using providers::Json;

const std::string kFolder = SIGNCTL_SOURCE_DIR "/../shared/testdata/recorded-replies/";

/// False, and loudly, where the recordings are not.
bool are_here(const char* what) {
  if (std::filesystem::exists(kFolder)) {
    return true;
  }
  std::cerr << "SKIPPED: " << what << " (" << kFolder << " is not here)\n";
  return false;
}

std::string recorded(const std::string& name) {
  const Bytes bytes = slurp(kFolder + name);
  return std::string(as_text(bytes));
}

Json recorded_json(const std::string& name) {
  Json json = providers::parse_json(recorded(name));
  REQUIRE_FALSE(json.is_discarded());
  return json;
}

struct Page {
  std::string part;  ///< Of "METHOD url"; the first that fits is answered.
  std::string body;
  int status{200};
};

/// Answers by table, and keeps what was asked.
class Pages final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request);
    const std::string line = request.method + " " + request.url + " " + target_of(request);
    for (const Page& page : pages) {
      if (line.find(page.part) != std::string::npos) {
        HttpResponse response;
        response.status = page.status;
        response.body.assign(page.body.begin(), page.body.end());
        return response;
      }
    }
    return Error{ErrorKind::provider, "no page for " + line};
  }

  std::vector<Page> pages;
  std::vector<HttpRequest> asked;

 private:
  static std::string target_of(const HttpRequest& request) {
    const auto found = request.headers.find("X-Amz-Target");
    return found == request.headers.end() ? "" : found->second;
  }
};

struct Stage {
  FakeWorld fake;
  Pages http;
  TemporaryFolder folder;

  explicit Stage(std::vector<Page> pages) { http.pages = std::move(pages); }
  [[nodiscard]] World world() { return {fake.clock, fake.environment, http}; }

  /// A certificate for `key` with its chain's file: of services that keep no certificates.
  std::string chain_file(const Certificate& leaf) {
    const std::string path = folder.file("chain.pem");
    const std::string pem = crypto::to_pem({leaf});
    spill(path, as_bytes(pem));
    return path;
  }
};

const crypto::KeyBundle& own() {
  static const crypto::KeyBundle made =
      issue(code_signing_leaf(), nullptr, crypto::PrivateKey::Spec::rsa2048);
  return made;
}

std::string spki_pem(const Certificate& leaf) {
  return "-----BEGIN PUBLIC KEY-----\n" + to_base64(crypto::public_key_of(leaf)) +
         "\n-----END PUBLIC KEY-----\n";
}

Result<SignedDigest> sign_with(const char* provider,
                               const ProviderSettings& settings,
                               World world) {
  SIGNCTL_TRY(auto session, find_provider(provider)->open(settings, world), "");
  return session->sign(crypto::hash(DigestAlg::sha256, as_bytes("content")), DigestAlg::sha256);
}

/// Everything was read, down to a signature of some key's size that is not over our digest.
void check_understood(const Result<SignedDigest>& made, const Certificate& leaf) {
  REQUIRE_FALSE(made);
  INFO(made.error().message);
  CHECK(made.error().kind == ErrorKind::provider);
  CHECK(made.error().message.find("does not match certificate " + leaf.info().sha256_hex) !=
        std::string::npos);
}

Certificate certificate_in(const std::string& base64) {
  return must(Certificate::parse(providers::from_any_base64(base64).value()));
}

ProviderSettings aws(Stage& stage) {
  ProviderSettings settings;
  settings.values = {{"key_id", "2d9ca5b0-6d51-4727-9dfc-186e62e4c5e2"},
                     {"region", "eu-west-3"},
                     {"access_key_id", "AKIAIOSFODNN7EXAMPLE"},
                     {"chain", stage.chain_file(own().chain.front())}};
  settings.secrets["secret_access_key"] = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  return settings;
}

ProviderSettings digicert(Stage& stage) {
  const std::string p12 = stage.folder.file("client.p12");
  spill(p12, must(crypto::write_pkcs12(own(), Secret("pw"), "client")));
  ProviderSettings settings;
  settings.values = {{"host", "https://clientauth.one.digicert.com"},
                     {"client_certificate", p12},
                     {"certificate", "jsign-2022-cert"}};
  settings.secrets["api_key"] = Secret("key");
  settings.secrets["client_certificate_password"] = Secret("pw");
  return settings;
}

}  // namespace

TEST_CASE("recorded: Artifact Signing's certificate and signature are those of a real profile",
          "[providers][recorded]") {
  if (!are_here("Artifact Signing's answer")) {
    return;
  }
  const Json answer = recorded_json("trustedsigning-sign.json");
  const auto chain =
      must(providers::trusted_signing::chain_in(answer["signingCertificate"].get<std::string>()));
  CHECK(chain.der.size() == 3);  // Four were sent; the root stays out.
  CHECK(chain.leaf.key().bits == 3072);
  CHECK(chain.leaf.not_after() - chain.leaf.not_before() == std::chrono::hours(72));
  CHECK(
      providers::trusted_signing::durable_identity(chain.leaf).starts_with("1.3.6.1.4.1.311.97."));

  const std::string pending =
      R"({"operationId":"1f234bd9-16cf-4283-9ee6-a460d31207bb","status":"InProgress",)"
      R"("signature":null,"signingCertificate":null})";
  std::string ladder;
  for (const Bytes& one : chain.der) {
    ladder += crypto::to_pem({must(Certificate::parse(one))});
  }
  Stage stage({{"GET https://weu.codesigning.azure.net/codesigningaccounts/a/certificateprofiles/p/"
                "sign/certchain",
                ladder},
               {"POST https://weu.codesigning", pending, 202},
               {"/sign/1f234bd9-16cf-4283-9ee6-a460d31207bb?", answer.dump()},
               {"oauth2/v2.0/token", R"({"access_token":"t","expires_in":3599})"}});
  ProviderSettings settings;
  settings.values = {{"endpoint", "https://weu.codesigning.azure.net/"},
                     {"account", "a"},
                     {"profile", "p"},
                     {"tenant_id", "t"},
                     {"client_id", "c"}};
  settings.secrets["client_secret"] = Secret("s");
  check_understood(sign_with("trusted-signing", settings, stage.world()), chain.leaf);
}

TEST_CASE("recorded: Key Vault's certificate leads to its key", "[providers][recorded]") {
  if (!are_here("Key Vault's answers")) {
    return;
  }
  const std::string certificate = recorded("azure-certificate.json");
  Stage stage({{"GET https://jsigntestkeyvault.vault.azure.net/certificates/test1?", certificate},
               {"POST https://jsigntestkeyvault.vault.azure.net/keys/test1/"
                "38ca3e3560b94086ac604c5dd21aa055/sign?",
                R"({"kid":"k","value":")" + std::string(342, 'A') + R"("})"},
               {"certificates/forbidden", recorded("azure-certificates-error.json"), 403},
               {"oauth2/v2.0/token", R"({"access_token":"t","expires_in":3599})"}});
  ProviderSettings settings;
  settings.values = {{"vault_url", "https://jsigntestkeyvault.vault.azure.net"},
                     {"certificate", "test1"},
                     {"tenant_id", "t"},
                     {"client_id", "c"}};
  settings.secrets["client_secret"] = Secret("s");
  const auto made = sign_with("azure-key-vault", settings, stage.world());
  check_understood(made, certificate_in(recorded_json("azure-certificate.json")["cer"]));

  settings.values["certificate"] = "forbidden";
  const auto refused = sign_with("azure-key-vault", settings, stage.world());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::auth);
  CHECK(refused.error().message.find("certificates list permission") != std::string::npos);
  CHECK(refused.error().hint.find("access policy") != std::string::npos);
}

TEST_CASE("recorded: AWS KMS's signature is read", "[providers][recorded]") {
  if (!are_here("AWS KMS's answer")) {
    return;
  }
  const Json key{{"KeyId", "2d9ca5b0-6d51-4727-9dfc-186e62e4c5e2"},
                 {"PublicKey", to_base64(crypto::public_key_of(own().chain.front()))},
                 {"KeySpec", "RSA_2048"},
                 {"KeyUsage", "SIGN_VERIFY"},
                 {"SigningAlgorithms",
                  recorded_json("aws-describekey-rsa.json")["KeyMetadata"]["SigningAlgorithms"]}};
  Stage stage({{"TrentService.GetPublicKey", key.dump()},
               {"TrentService.Sign", recorded("aws-sign.json")}});
  check_understood(sign_with("aws-kms", aws(stage), stage.world()), own().chain.front());
}

TEST_CASE("recorded: DigiCert's certificate, key pair and signature are read",
          "[providers][recorded]") {
  if (!are_here("DigiCert's answers")) {
    return;
  }
  const Json list = recorded_json("digicertone-certificates.json");
  Json pair = recorded_json("digicertone-keypairs.json");
  const Certificate leaf = certificate_in(list["items"][0]["cert"]);
  const std::string id = pair["id"];
  const auto pages = [&] {
    return std::vector<Page>{{"GET https://clientauth.one.digicert.com/signingmanager/api/v1/"
                              "certificates?alias=jsign-2022-cert",
                              list.dump()},
                             {"GET https://clientauth.one.digicert.com/signingmanager/api/v1/"
                              "keypairs/" +
                                  id,
                              pair.dump()},
                             {"POST https://clientauth.one.digicert.com/signingmanager/api/v1/"
                              "keypairs/" +
                                  id + "/sign",
                              recorded("digicertone-sign.json")}};
  };
  {
    // Whoever recorded them has put another certificate in: that is found before it costs anything.
    Stage stage(pages());
    const auto made = sign_with("keylocker", digicert(stage), stage.world());
    REQUIRE_FALSE(made);
    CHECK(made.error().message.find("was not issued for the key jsign-2022-key") !=
          std::string::npos);
    CHECK(std::none_of(stage.http.asked.begin(), stage.http.asked.end(), [](const auto& one) {
      return one.method == "POST";
    }));
  }
  pair["public_key"] = to_base64(crypto::public_key_of(leaf));
  Stage stage(pages());
  check_understood(sign_with("keylocker", digicert(stage), stage.world()), leaf);
  const Bytes& body = stage.http.asked.back().body;
  CHECK(providers::parse_json(as_text(body))["account"] == pair["account"]);
  CHECK(
      ids_of(find_provider("keylocker")->diagnose(digicert(stage), stage.world()), Severity::error)
          .empty());
}

TEST_CASE("recorded: Google's signature is taken with its checksums alone",
          "[providers][recorded]") {
  if (!are_here("Google KMS's answers")) {
    return;
  }
  Json answer = recorded_json("googlecloud-sign.json");
  const providers::google_kms::KeyVersion version{
      answer["name"].get<std::string>(),
      must(providers::google_kms::parse_algorithm("RSA_SIGN_PKCS1_2048_SHA256")),
      {},
      "SOFTWARE",
      std::nullopt,
      {}};
  // It was recorded from a client that sends no checksum; to one that does, this says that the
  // checksum did not arrive (false is left out of the JSON).
  CHECK_FALSE(providers::google_kms::intact_signature(answer, version));
  answer["verifiedDigestCrc32c"] = true;
  // The recording's checksum is that of the signature which its makers have put another in for.
  CHECK_FALSE(providers::google_kms::intact_signature(answer, version));
  const auto bytes = providers::from_any_base64(answer["signature"].get<std::string>());
  REQUIRE(bytes);
  answer["signatureCrc32c"] = providers::google_kms::crc32c_text(*bytes);
  CHECK(providers::google_kms::intact_signature(answer, version) == bytes);
}

TEST_CASE("recorded: Google's list of versions and its refusal are read", "[providers][recorded]") {
  if (!are_here("Google KMS's answers")) {
    return;
  }
  const Json list = recorded_json("googlecloud-cryptokey-versions.json");
  const std::string name = list["cryptoKeyVersions"][1]["name"];
  const Json key{{"pem", spki_pem(own().chain.front())},
                 {"algorithm", list["cryptoKeyVersions"][1]["algorithm"]},
                 {"name", name}};
  Stage stage({{"/cryptoKeyVersions?filter=state%3DENABLED", list.dump()},
               {"GET https://cloudkms.googleapis.com/v1/" + name + "/publicKey", key.dump()},
               {":asymmetricSign", recorded("googlecloud-sign-error.json"), 400}});
  ProviderSettings settings;
  settings.values = {{"key", name.substr(0, name.find("/cryptoKeyVersions"))},
                     {"chain", stage.chain_file(own().chain.front())}};
  settings.secrets["token"] = Secret("ya29.token");
  const auto made = sign_with("google-kms", settings, stage.world());
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::provider);
  CHECK(made.error().message.find("KEY_DESTROYED") != std::string::npos);
}

TEST_CASE("recorded: SignServer's answer brings the certificate", "[providers][recorded]") {
  if (!are_here("SignServer's answer")) {
    return;
  }
  const std::string answer = recorded("signserver-plainworker-process.json");
  // The first request is the probe, which a worker refuses for its length.
  class ProbeFirst final : public HttpClient {
   public:
    explicit ProbeFirst(std::string body) : body_(std::move(body)) {}
    Result<HttpResponse> send(const HttpRequest& request) override {
      const bool probe = as_text(request.body).find("\"AA==\"") != std::string_view::npos;
      const std::string text =
          probe ? R"({"error":"Input length doesn't match hash digest algorithm"})" : body_;
      HttpResponse response;
      response.status = probe ? 400 : 200;
      response.body.assign(text.begin(), text.end());
      return response;
    }

   private:
    std::string body_;
  };
  FakeWorld fake;
  ProbeFirst http(answer);
  ProviderSettings settings;
  settings.values = {{"url", "https://sign.example/signserver"}, {"worker", "Plain"}};
  settings.secrets["token"] = Secret("t");
  const auto made = sign_with("signserver", settings, {fake.clock, fake.environment, http});
  check_understood(made, certificate_in(providers::parse_json(answer)["signerCertificate"]));
}

}  // namespace signctl::test
