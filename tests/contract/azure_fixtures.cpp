// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "crypto/keys.hpp"
#include "fake/azure.hpp"
#include "fake/rig.hpp"
#include "provider_fixture.hpp"
#include "support/must.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;
namespace azure = fake::azure;

constexpr const char* kWrongSecret = "wrong~client~secret.value";
constexpr const char* kFilePassword = "login-file-password-77";

/// A PKCS#12 file with the certificate that is registered on the application.
ProviderSettings by_certificate(fake::Rig& rig, ProviderSettings settings) {
  settings.secrets.erase("client_secret");
  const Bytes file =
      must(crypto::write_pkcs12(azure::registered(rig.lab), Secret(kFilePassword), "login"));
  return with_secret(with(with(std::move(settings), "auth", "client-certificate"),
                          "client_certificate",
                          rig.file("login.pfx", as_text(file))),
                     "client_certificate_password",
                     kFilePassword);
}

std::vector<ProviderSettings> refused(fake::Rig& rig, const ProviderSettings& good) {
  ProviderSettings wrong_password =
      with_secret(by_certificate(rig, good), "client_certificate_password", "nothing-like-it");
  return {with_secret(good, "client_secret", kWrongSecret),
          with(good, "client_id", azure::kStrangerClient),
          std::move(wrong_password)};
}

class TrustedSigningFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    const auto settings = rig_.settings("artifact-signing");
    return {{"client secret", settings, kAllDigests},
            {"client certificate", by_certificate(rig_, settings), kAllDigests}};
  }
  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings no_secret = rig_.settings("artifact-signing");
    no_secret.secrets.clear();
    return {ProviderSettings{},
            no_secret,
            with(rig_.settings("artifact-signing"), "auth", "magic"),
            with(rig_.settings("artifact-signing"), "endpoint", "http://eus.codesigning.example"),
            with(rig_.settings("artifact-signing"), "tenant_id", "")};
  }
  std::vector<ProviderSettings> wrong_credentials() override {
    auto wrong = refused(rig_, rig_.settings("artifact-signing"));
    wrong.push_back(with(rig_.settings("artifact-signing"), "profile", "misspelt"));
    return wrong;
  }
  std::vector<std::string> secrets() override {
    return {azure::kClientSecret, kWrongSecret, kFilePassword};
  }
  World world() override { return rig_.world(); }

 private:
  fake::Rig rig_{{"entra", "artifact-signing"}};
};

class KeyVaultFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    const auto settings = rig_.settings("key-vault");
    const auto of = [&](const std::string& kind) {
      return with(with(settings, "certificate", kind), "chain", rig_.chain_file(kind));
    };
    const auto by_key = [&](const std::string& kind) {
      return with(with(of(kind), "certificate", ""), "key", kind);
    };
    return {{"RSA 2048", of("rsa2048"), kAllDigests},
            {"RSA 3072 by key", by_key("rsa3072"), kAllDigests},
            {"EC P-256", of("p256"), {DigestAlg::sha256}},
            {"EC P-384 by key", by_key("p384"), {DigestAlg::sha384}},
            {"EC P-521 by key", by_key("p521"), {DigestAlg::sha512}},
            {"RSA 3072 without the issuers", settings, kAllDigests}};
  }
  std::vector<ProviderSettings> incomplete() override {
    const auto settings = rig_.settings("key-vault");
    return {ProviderSettings{},
            with(settings, "certificate", ""),
            with(settings, "key", "rsa3072"),
            with(with(settings, "certificate", ""), "key", "rsa3072"),
            with(settings, "certificate", "missing"),
            with(settings, "certificate", "disabled")};
  }
  std::vector<ProviderSettings> wrong_credentials() override {
    return refused(rig_, rig_.settings("key-vault"));
  }
  std::vector<std::string> secrets() override {
    return {azure::kClientSecret, kWrongSecret, kFilePassword};
  }
  World world() override { return rig_.world(); }

 private:
  fake::Rig rig_{{"entra", "key-vault"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_trusted_signing_fixture() {
  return std::make_unique<TrustedSigningFixture>();
}

std::unique_ptr<ProviderFixture> make_key_vault_fixture() {
  return std::make_unique<KeyVaultFixture>();
}

}  // namespace signctl::test
