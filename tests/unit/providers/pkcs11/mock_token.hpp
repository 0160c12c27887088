// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/fake_world.hpp"
#include "support/key_files.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signctl::test {

inline constexpr const char* kMockPin = "1234-right";
inline constexpr const char* kMockWrongPin = "9876-wrong";

/// Lines of the mock's config, see tests/mock_pkcs11/module.cpp.
using Behaviour = std::map<std::string, std::string>;

/// A token in the mock module (tests/mock_pkcs11), with a serial number that no other test's has,
/// since this process remembers PINs by token. The module runs in the worker process of the signctl
/// tool.
class MockToken {
 public:
  explicit MockToken(const Behaviour& behaviour = {},
                     crypto::PrivateKey::Spec spec = crypto::PrivateKey::Spec::rsa2048);
  MockToken(const MockToken&) = delete;
  MockToken& operator=(const MockToken&) = delete;
  ~MockToken();

  /// Replaces what the token does, from the next time its module is loaded.
  void behave(const Behaviour& behaviour);

  [[nodiscard]] ProviderSettings settings(const std::string& pin = kMockPin) const;
  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings);
  Result<std::unique_ptr<SigningSession>> open() { return open(settings()); }
  std::vector<Finding> diagnose(const ProviderSettings& settings);

  /// How often the module was called by that name.
  [[nodiscard]] int calls(const std::string& name) const;
  /// PIN tries left; -1 as long as no PIN was checked.
  [[nodiscard]] int tries_left() const;
  void set_tries_left(int tries) const;

  [[nodiscard]] const KeyChain& chain() const { return chain_; }
  [[nodiscard]] const std::string& serial() const { return serial_; }
  [[nodiscard]] World world() { return world_.world(); }

 private:
  TemporaryFolder folder_;
  FakeWorld world_;
  KeyChain chain_;
  std::string serial_;
};

}  // namespace signctl::test
