// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/azure_login.hpp"
#include "providers/common/rest.hpp"
#include "providers/common/signing_key.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>

namespace signctl::providers::azure_key_vault {

/// A vault or a managed HSM, logged in to. Safe to share between threads.
struct Vault {
  std::shared_ptr<azure::BearerAuthorizer> login;
  RestClient rest;
  bool is_hsm{false};  ///< A managed HSM, which has keys and no certificates.

  /// Makes no call.
  ///
  /// @errors `config` for settings that are missing or wrong.
  static Result<Vault> open(const ProviderSettings& settings, World world);
};

/// A version of a key, and the certificates that belong to it.
struct KeyVersion {
  std::string path;  ///< "/keys/NAME/VERSION" below the vault's URL.
  std::string name;  ///< For messages.
  Chain chain;
  std::optional<TimePoint> server_time;
  TimePoint received{};
};

/// The key of the certificate that the settings name, or the key that they name with the chain
/// file's certificate.
///
/// @errors `config` when it is not there or the certificate is another key's.
Result<KeyVersion> find_key(const Vault& vault, const ProviderSettings& settings);

/// A JSON Web Key's public part as SubjectPublicKeyInfo (DER); empty for kinds that do not sign.
[[nodiscard]] std::optional<Bytes> spki_from_jwk(const Json& jwk);

/// The key as a version of it that was found.
[[nodiscard]] std::shared_ptr<SigningKey> make_key(Vault vault, KeyVersion version);

/// Opens the key: logs in, and finds certificate and key version.
Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::azure_key_vault
