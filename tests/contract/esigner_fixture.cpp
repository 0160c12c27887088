// SPDX-License-Identifier: Apache-2.0
#include "fake/esigner.hpp"
#include "fake/rig.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class EsignerFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {{"RSA 2048", settings_for("rsa2048"), kAllDigests},
            {"RSA 3072", settings_for("rsa3072"), {DigestAlg::sha256, DigestAlg::sha384}},
            {"EC P-256", settings_for("p256"), {DigestAlg::sha256}},
            {"EC P-384, raw", settings_for("p384"), {DigestAlg::sha384}},
            {"EC P-521", settings_for("p521"), kAllDigests},
            {"without passwords", settings_for("free"), {DigestAlg::sha256}},
            {"with a PIN",
             with_secret(settings_for("pinned"), "pin", fake::esigner::kPin),
             {DigestAlg::sha256}},
            {"the only one, base32",
             with_secret(with(settings_for(""), "username", fake::esigner::kOnlyUser),
                         "totp_secret",
                         fake::esigner::kTotpBase32),
             kAllDigests}};
  }

  std::vector<ProviderSettings> incomplete() override {
    return {ProviderSettings{},
            with_secret(settings_for("p256"), "password", ""),
            with_secret(settings_for("p256"), "totp_secret", ""),
            settings_for("pinned"),
            settings_for(""),
            settings_for("nobody"),
            settings_for("disabled"),
            settings_for("sent"),
            with(settings_for("p256"), "environment", "staging"),
            with(settings_for("p256"), "totp_format", "base58")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    return {with_secret(settings_for("p256"), "password", kWrongPassword),
            with_secret(settings_for("p256"), "totp_secret", kNoSecret),
            with(settings_for("p256"), "username", "nobody@contoso.example"),
            with(settings_for("p256"), "client_id", "unknown-application")};
  }

  std::vector<std::string> secrets() override {
    return {fake::esigner::kPassword,
            fake::esigner::kTotpSecret,
            fake::esigner::kTotpBase32,
            fake::esigner::kPin,
            kWrongPassword,
            kNoSecret};
  }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongPassword = "wrong~esigner~password";
  static constexpr const char* kNoSecret = "935157 is no secret!";

  ProviderSettings settings_for(const std::string& id) {
    return with(rig_.settings("esigner"), "credential_id", id);
  }

  fake::Rig rig_{{"esigner"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_esigner_fixture() {
  return std::make_unique<EsignerFixture>();
}

}  // namespace signctl::test
