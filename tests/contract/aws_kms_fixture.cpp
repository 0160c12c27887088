// SPDX-License-Identifier: Apache-2.0
#include "fake/aws_kms.hpp"
#include "fake/rig.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class AwsKmsFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {{"RSA 2048", settings_for("rsa2048"), kAllDigests},
            {"RSA 3072", settings_for("rsa3072"), kAllDigests},
            {"EC P-384", settings_for("p384"), {DigestAlg::sha384}},
            {"EC P-521", settings_for("p521"), {DigestAlg::sha512}},
            {"EC P-256", settings_for("p256"), {DigestAlg::sha256}}};
  }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings no_region = settings_for("p256");
    no_region.values.erase("region");
    ProviderSettings no_chain = settings_for("p256");
    no_chain.values.erase("chain");
    return {ProviderSettings{}, no_region, no_chain, with(settings_for("p256"), "auth", "magic")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    return {with_secret(settings_for("p256"), "secret_access_key", kWrongSecret),
            with(settings_for("p256"), "access_key_id", "AKIANOBODYNOBODYNOBO"),
            with_secret(settings_for("p256"), "session_token", kWrongToken)};
  }

  std::vector<std::string> secrets() override {
    return {fake::aws::kSecretKey, kWrongSecret, kWrongToken};
  }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongSecret = "WrongSecretAccessKey/0123456789abcdefgh";
  static constexpr const char* kWrongToken = "wrong-session-token-0123456789";

  ProviderSettings settings_for(const std::string& kind) {
    return with(
        with(rig_.settings("aws-kms"), "key_id", "alias/" + kind), "chain", rig_.chain_file(kind));
  }

  fake::Rig rig_{{"aws-kms"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_aws_kms_fixture() {
  return std::make_unique<AwsKmsFixture>();
}

}  // namespace signctl::test
