// SPDX-License-Identifier: Apache-2.0
#include "provider_fixture.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/paths.hpp"

namespace signctl::test {
namespace {

constexpr const char* kPassword = "correct horse battery staple";
constexpr const char* kWrongPassword = "hunter2 hunter2";

class PfxFixture final : public ProviderFixture {
 public:
  PfxFixture() {
    using Spec = crypto::PrivateKey::Spec;
    add("RSA 2048", "rsa2048.pfx", Spec::rsa2048);
    add("RSA 3072", "rsa3072.pfx", Spec::rsa3072);
    add("EC P-256", "p256.pfx", Spec::p256);
    add("EC P-384", "p384.pfx", Spec::p384);
    add("EC P-521", "p521.pfx", Spec::p521);
  }

  std::vector<Good> good() override { return good_; }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings only_key;
    only_key.values = {{"key", folder_.file("key.pem")}};
    return {ProviderSettings{}, only_key};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    const std::string file = good_.back().settings.get("file");
    ProviderSettings none;
    none.values = {{"file", file}};
    return {settings_for(file, kWrongPassword), none};
  }

  std::vector<std::string> secrets() override { return {kPassword, kWrongPassword}; }

  World world() override { return world_.world(); }

 private:
  static ProviderSettings settings_for(const std::string& file, const char* password) {
    ProviderSettings settings;
    settings.values = {{"file", file}};
    settings.secrets.emplace("password", Secret(password));
    return settings;
  }

  void add(const std::string& label, const std::string& name, crypto::PrivateKey::Spec spec) {
    const std::string file = folder_.file(name);
    spill_pfx(file, make_key_chain(spec).bundle(), kPassword);
    good_.push_back({label, settings_for(file, kPassword)});
  }

  TemporaryFolder folder_;
  FakeWorld world_;
  std::vector<Good> good_;
};

}  // namespace

std::unique_ptr<ProviderFixture> make_pfx_fixture() {
  return std::make_unique<PfxFixture>();
}

}  // namespace signctl::test
