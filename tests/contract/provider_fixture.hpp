// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::test {

/// What the contract suite needs to know of a backend. A new one adds a file with its fixture and a
/// line in provider_fixture.cpp, and all of the suite runs against it.
class ProviderFixture {
 public:
  virtual ~ProviderFixture() = default;

  /// Settings that sign, one for each kind of key the backend can have; `label` is for messages.
  struct Good {
    std::string label;
    ProviderSettings settings;
  };
  virtual std::vector<Good> good() = 0;

  /// Settings that lack something without which the backend cannot start.
  virtual std::vector<ProviderSettings> incomplete() = 0;

  /// Settings whose credential is refused.
  virtual std::vector<ProviderSettings> wrong_credentials() = 0;

  /// Every secret in any of the above: none may appear in a message.
  virtual std::vector<std::string> secrets() = 0;

  /// Where the backend runs: fake clock, environment and service.
  virtual World world() = 0;
};

/// The fixture of a provider; nullptr if nobody has written one.
std::unique_ptr<ProviderFixture> make_fixture(std::string_view provider);

std::unique_ptr<ProviderFixture> make_pfx_fixture();

}  // namespace signctl::test
