// SPDX-License-Identifier: Apache-2.0
#include "provider_fixture.hpp"
#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/paths.hpp"

#include <signctl/worker.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace signctl::test {
namespace {

constexpr const char* kPin = "correct-horse-4711";
constexpr const char* kWrongPin = "hunter2-0815";
constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";

void run(const std::string& command) {
  // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own words, in a test
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

bool has_tools() {
  const auto there = [](const char* path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  };
  return there(kModule) && there("/usr/bin/softhsm2-util") && there("/usr/bin/pkcs11-tool");
}

/// A real module: SoftHSM2, in the worker process of the signctl tool, with one token and a key of
/// each kind on it. Where it is not installed, the mock module stands in with one key.
class Pkcs11Fixture final : public ProviderFixture {
 public:
  Pkcs11Fixture() {
    set_worker_program(SIGNCTL_BINARY);
    if (has_tools()) {
      use_softhsm();
    } else {
      std::cout
          << "SKIPPED: contract of pkcs11 with SoftHSM2 (softhsm2 or opensc is not installed); "
             "the mock module stands in\n";
      use_mock();
    }
  }

  std::vector<Good> good() override { return good_; }

  std::vector<ProviderSettings> incomplete() override {
    ProviderSettings relative;
    relative.values = {{"module", "libsofthsm2.so"}};
    ProviderSettings twice;
    twice.values = {{"token", "one"}, {"uri", "pkcs11:token=other"}};
    ProviderSettings gone;
    gone.values = {{"module", "/nonexistent/libmodule.so"}};
    return {relative, twice, gone};
  }

  std::vector<ProviderSettings> wrong_credentials() override {
    // After a refused PIN nothing more is sent to a token by this process, so this is another one.
    ProviderSettings wrong = other_token_;
    wrong.secrets["pin"] = Secret(kWrongPin);
    ProviderSettings none = other_token_;
    none.secrets.clear();
    return {wrong, none};
  }

  std::vector<std::string> secrets() override { return {kPin, kWrongPin}; }

  World world() override { return world_.world(); }

 private:
  [[nodiscard]] ProviderSettings settings_for(const std::string& module,
                                              const std::string& key) const {
    ProviderSettings settings;
    settings.values = {{"module", module},
                       {"token", "contract"},
                       {"key", key},
                       {"chain", folder_.file("issuers.pem")}};
    settings.secrets.emplace("pin", Secret(kPin));
    return settings;
  }

  void set_variable(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  }

  void use_softhsm() {
    const std::string tokens = folder_.file("tokens");
    std::filesystem::create_directory(tokens);
    std::ofstream(folder_.file("softhsm2.conf"))
        << "directories.tokendir = " << tokens
        << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    set_variable("SOFTHSM2_CONF", folder_.file("softhsm2.conf"));
    for (const char* label : {"contract", "other"}) {
      run("softhsm2-util --init-token --free --label " + std::string(label) +
          " --so-pin 12345678 --pin " + kPin);
    }
    using Spec = crypto::PrivateKey::Spec;
    add("RSA 2048", "01", Spec::rsa2048);
    add("RSA 3072", "02", Spec::rsa3072);
    add("EC P-256", "03", Spec::p256);
    add("EC P-384", "04", Spec::p384);
    other_token_ = settings_for(kModule, "key 01");
    other_token_.values["token"] = "other";
  }

  /// A key and its certificate on the token; the issuers in a file.
  void add(const std::string& label, const std::string& id, crypto::PrivateKey::Spec spec) {
    const KeyChain made = make_key_chain(spec);
    const std::string key = folder_.file("key.pem");
    const std::string certificate = folder_.file("certificate.der");
    spill_pem(key, made.key);
    spill(certificate, made.leaf.der());
    spill_pem(folder_.file("issuers.pem"), {made.intermediate, made.root});
    const std::string name = " --label 'key " + id + "' --id " + id;
    run("softhsm2-util --token contract --import " + key + name + " --pin " + kPin);
    run(std::string("pkcs11-tool --module ") + kModule + " --token-label contract --login --pin " +
        kPin + " --write-object " + certificate + " --type cert" + name);
    good_.push_back({label, settings_for(kModule, "key " + id)});
  }

  void use_mock() {
    const KeyChain made = make_key_chain(crypto::PrivateKey::Spec::rsa2048);
    spill_pem(folder_.file("key.pem"), made.key);
    spill_pem(folder_.file("certificate.pem"), {made.leaf});
    spill_pem(folder_.file("issuers.pem"), {made.intermediate, made.root});
    std::ofstream(folder_.file("config"))
        << "label=contract\nserial=CONTRACT\ntwins=1\ntries=100\npin=" << kPin
        << "\nkey=" << folder_.file("key.pem")
        << "\ncertificate=" << folder_.file("certificate.pem") << "\n";
    set_variable("SIGNCTL_MOCK_P11", folder_.path());
    ProviderSettings settings = settings_for(SIGNCTL_MOCK_PKCS11, "codesign");
    settings.values["serial"] = "CONTRACT";
    good_.push_back({"RSA 2048", settings});
    settings.values["serial"] = "OTHER";
    other_token_ = std::move(settings);
  }

  TemporaryFolder folder_;
  FakeWorld world_;
  std::vector<Good> good_;
  ProviderSettings other_token_;
};

}  // namespace

std::unique_ptr<ProviderFixture> make_pkcs11_fixture() {
  return std::make_unique<Pkcs11Fixture>();
}

}  // namespace signctl::test
