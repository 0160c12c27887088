// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::test {

/// The hashes that signctl signs with.
inline const std::vector<DigestAlg> kAllDigests{
    DigestAlg::sha256, DigestAlg::sha384, DigestAlg::sha512};

/// What the contract suite needs to know of a backend. A new one adds a file with its fixture and a
/// line in provider_fixture.cpp, and all of the suite runs against it.
class ProviderFixture {
 public:
  virtual ~ProviderFixture() = default;

  /// Settings that sign, one for each kind of key the backend can have; `label` is for messages.
  struct Good {
    std::string label;
    ProviderSettings settings;
    /// The hashes that the key signs; services may bind a key to one.
    std::vector<DigestAlg> digests{kAllDigests};
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
std::unique_ptr<ProviderFixture> make_trusted_signing_fixture();
std::unique_ptr<ProviderFixture> make_key_vault_fixture();
std::unique_ptr<ProviderFixture> make_pkcs11_fixture();
std::unique_ptr<ProviderFixture> make_aws_kms_fixture();
std::unique_ptr<ProviderFixture> make_google_kms_fixture();
std::unique_ptr<ProviderFixture> make_vault_fixture();
std::unique_ptr<ProviderFixture> make_signserver_fixture();
std::unique_ptr<ProviderFixture> make_keylocker_fixture();

}  // namespace signctl::test
