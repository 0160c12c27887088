// SPDX-License-Identifier: Apache-2.0
#include "fake/client_file.hpp"
#include "fake/rig.hpp"
#include "fake/signserver.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class SignServerFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {{"RSA 2048, token", settings_for("rsa2048"), kAllDigests},
            {"RSA 3072, client certificate", by_certificate("rsa3072"), kAllDigests},
            {"RSA 3072, no chain", with(by_certificate("17"), "chain", ""), kAllDigests},
            {"EC P-256", settings_for("p256"), kAllDigests},
            {"EC P-384", settings_for("p384"), kAllDigests},
            {"EC P-521", settings_for("p521"), kAllDigests}};
  }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings nobody = settings_for("p256");
    nobody.secrets.clear();
    return {ProviderSettings{},
            nobody,
            with(settings_for("p256"), "worker", ""),
            with(settings_for("p256"), "url", "http://signserver.example")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    return {with_secret(settings_for("p256"), "token", kWrongToken),
            with(settings_for("p256"), "worker", "Restricted"),
            with(by_certificate("p256"),
                 "client_certificate",
                 fake::client_file(rig_, fake::Client::stranger)),
            with_secret(by_certificate("p256"), "client_certificate_password", kWrongPassword)};
  }

  std::vector<std::string> secrets() override {
    return {fake::signserver::kToken, kWrongToken, kWrongPassword, fake::kClientPassword};
  }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongToken = "wrong-signserver-token";
  static constexpr const char* kWrongPassword = "wrong-p12-password";

  ProviderSettings settings_for(const std::string& kind) {
    const std::string key = kind == "17" ? "rsa3072" : kind;
    return with(with(rig_.settings("signserver"), "worker", kind), "chain", rig_.chain_file(key));
  }

  ProviderSettings by_certificate(const std::string& kind) {
    auto settings = fake::with_client(rig_, settings_for(kind));
    settings.secrets.erase("token");
    return settings;
  }

  fake::Rig rig_{{"signserver"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_signserver_fixture() {
  return std::make_unique<SignServerFixture>();
}

}  // namespace signctl::test
