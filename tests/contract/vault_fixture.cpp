// SPDX-License-Identifier: Apache-2.0
#include "fake/rig.hpp"
#include "fake/vault.hpp"
#include "provider_fixture.hpp"

namespace signctl::test {
namespace {

using fake::with;
using fake::with_secret;

class VaultFixture final : public ProviderFixture {
 public:
  std::vector<Good> good() override {
    return {
        {"RSA 2048", settings_for("rsa2048"), kAllDigests},
        {"RSA 3072", settings_for("rsa3072"), kAllDigests},
        {"EC P-256", settings_for("p256"), kAllDigests},
        {"EC P-384", settings_for("p384"), kAllDigests},
        {"EC P-521", settings_for("p521"), kAllDigests},
        {"EC P-256, chain in Vault", with(rig_.settings("vault"), "key", "stored"), kAllDigests}};
  }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings no_certificate = with(rig_.settings("vault"), "key", "p256");
    ProviderSettings no_role = settings_for("p256");
    no_role.secrets.clear();
    return {ProviderSettings{},
            no_certificate,
            with(no_role, "auth", "approle"),
            with(settings_for("p256"), "auth", "magic")};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    ProviderSettings nothing = settings_for("p256");
    nothing.secrets.clear();
    const auto approle = with_secret(
        with(nothing, "role_id", fake::hashicorp::kRoleId), "secret_id", kWrongSecretId);
    return {with_secret(settings_for("p256"), "token", kWrongToken), approle, nothing};
  }

  std::vector<std::string> secrets() override {
    return {fake::hashicorp::kToken, kWrongToken, kWrongSecretId};
  }

  World world() override { return rig_.world(); }

 private:
  static constexpr const char* kWrongToken = "hvs.WrongToken";
  static constexpr const char* kWrongSecretId = "wrong-secret-id-0123";

  ProviderSettings settings_for(const std::string& kind) {
    return with(with(rig_.settings("vault"), "key", kind), "chain", rig_.chain_file(kind));
  }

  fake::Rig rig_{{"vault"}};
};

}  // namespace

std::unique_ptr<ProviderFixture> make_vault_fixture() {
  return std::make_unique<VaultFixture>();
}

}  // namespace signctl::test
