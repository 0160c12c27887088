// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "fake/client_file.hpp"
#include "fake/keylocker.hpp"
#include "fake/rig.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class KeyLockerFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {{"RSA 2048", settings_for("rsa2048"), kAllDigests},
            {"RSA 3072, base64", by_base64("rsa3072"), kAllDigests},
            {"EC P-256", settings_for("p256"), kAllDigests},
            {"EC P-384", settings_for("p384"), kAllDigests},
            {"EC P-521", settings_for("p521"), kAllDigests},
            {"EC P-256 by certificate",
             with(with(settings_for("p256"), "key", ""), "certificate", "cert-p256"),
             kAllDigests}};
  }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings no_file = settings_for("p256");
    no_file.values.erase("client_certificate");
    return {ProviderSettings{},
            no_file,
            with_secret(settings_for("p256"), "api_key", ""),
            with(settings_for("p256"), "key", ""),
            with(settings_for("p256"), "host", "https://one.digicert.com")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    return {with_secret(settings_for("p256"), "api_key", kWrongKey),
            with_secret(settings_for("p256"), "client_certificate_password", kWrongPassword),
            with(settings_for("p256"),
                 "client_certificate",
                 fake::client_file(rig_, fake::Client::stranger))};
  }

  std::vector<std::string> secrets() override {
    return {fake::keylocker::kApiKey,
            kWrongKey,
            kWrongPassword,
            fake::kClientPassword,
            to_base64(fake::client_pkcs12(rig_)).substr(0, 64)};
  }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongKey = "wrong-digicert-api-key";
  static constexpr const char* kWrongPassword = "wrong-p12-password";

  ProviderSettings settings_for(const std::string& kind) {
    return fake::with_client(rig_, with(rig_.settings("keylocker"), "key", "key-" + kind));
  }

  ProviderSettings by_base64(const std::string& kind) {
    auto settings = settings_for(kind);
    settings.values.erase("client_certificate");
    return with_secret(settings, "client_certificate_base64", to_base64(fake::client_pkcs12(rig_)));
  }

  fake::Rig rig_{{"keylocker"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_keylocker_fixture() {
  return std::make_unique<KeyLockerFixture>();
}

}  // namespace signctl::test
