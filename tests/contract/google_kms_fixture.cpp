// SPDX-License-Identifier: Apache-2.0
#include "fake/google_kms.hpp"
#include "fake/rig.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class GoogleKmsFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {{"RSA 2048", settings_for("rsa2048", "rsa2048"), {DigestAlg::sha256}},
            {"RSA 3072", settings_for("rsa3072", "rsa3072"), {DigestAlg::sha256}},
            {"RSA raw", settings_for("raw", "rsa2048"), kAllDigests},
            {"EC P-384", settings_for("p384", "p384"), {DigestAlg::sha384}},
            {"EC P-256", settings_for("p256", "p256"), {DigestAlg::sha256}}};
  }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings no_chain = settings_for("p256", "p256");
    no_chain.values.erase("chain");
    return {ProviderSettings{},
            no_chain,
            with(settings_for("p256", "p256"), "key", "codesign"),
            with(settings_for("p256", "p256"), "auth", "magic")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    return {with_secret(settings_for("p256", "p256"), "token", kWrongToken)};
  }

  std::vector<std::string> secrets() override { return {fake::google::kToken, kWrongToken}; }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongToken = "ya29.wrong-access-token";

  ProviderSettings settings_for(const std::string& key, const std::string& kind) {
    return with(with(rig_.settings("google-kms"), "key", fake::google::version_name(key)),
                "chain",
                rig_.chain_file(kind));
  }

  fake::Rig rig_{{"google-kms"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_google_kms_fixture() {
  return std::make_unique<GoogleKmsFixture>();
}

}  // namespace signctl::test
