// SPDX-License-Identifier: Apache-2.0
#include "mock_token.hpp"

#include <signctl/worker.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>

namespace signctl::test {
namespace {

/// Making RSA keys is slow; the chains are the same for all tests of a process.
const KeyChain& chain_for(crypto::PrivateKey::Spec spec) {
  static std::map<crypto::PrivateKey::Spec, KeyChain> made;
  const auto known = made.find(spec);
  return known != made.end() ? known->second
                             : made.emplace(spec, make_key_chain(spec)).first->second;
}

std::string next_serial() {
  static std::atomic<int> count{0};
  return "MOCK" + std::to_string(++count);
}

}  // namespace

MockToken::MockToken(const Behaviour& behaviour, crypto::PrivateKey::Spec spec)
    : chain_(chain_for(spec)), serial_(next_serial()) {
  set_worker_program(SIGNCTL_BINARY);
  spill_pem(folder_.file("key.pem"), chain_.key);
  spill_pem(folder_.file("certificate.pem"), {chain_.leaf});
  spill_pem(folder_.file("chain.pem"), {chain_.intermediate, chain_.root});
  behave(behaviour);
  ::setenv("SIGNCTL_MOCK_P11", folder_.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
}

MockToken::~MockToken() {
  ::unsetenv("SIGNCTL_MOCK_P11");  // NOLINT(concurrency-mt-unsafe)
}

void MockToken::behave(const Behaviour& behaviour) {
  std::ofstream config(folder_.file("config"), std::ios::trunc);
  config << "label=Mock token\nserial=" << serial_ << "\npin=" << kMockPin
         << "\nkey=" << folder_.file("key.pem")
         << "\ncertificate=" << folder_.file("certificate.pem") << "\n";
  for (const auto& [key, value] : behaviour) {
    config << key << "=" << value << "\n";
  }
}

ProviderSettings MockToken::settings(const std::string& pin) const {
  ProviderSettings settings;
  settings.values = {{"module", SIGNCTL_MOCK_PKCS11},
                     {"token", "Mock token"},
                     {"chain", folder_.file("chain.pem")}};
  if (!pin.empty()) {
    settings.secrets.emplace("pin", Secret(pin));
  }
  return settings;
}

Result<std::unique_ptr<SigningSession>> MockToken::open(const ProviderSettings& settings) {
  return find_provider("pkcs11")->open(settings, world_.world());
}

std::vector<Finding> MockToken::diagnose(const ProviderSettings& settings) {
  return find_provider("pkcs11")->diagnose(settings, world_.world());
}

int MockToken::calls(const std::string& name) const {
  std::ifstream file(folder_.file("calls"));
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    count += line == name ? 1 : 0;
  }
  return count;
}

int MockToken::tries_left() const {
  std::ifstream file(folder_.file("tries"));
  int tries = -1;
  file >> tries;
  return file ? tries : -1;
}

void MockToken::set_tries_left(int tries) const {
  std::ofstream(folder_.file("tries"), std::ios::trunc) << tries;
}

}  // namespace signctl::test
