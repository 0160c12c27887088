// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/signing_key.hpp"
#include "providers/vault/client.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::vault {

/// A transit key's place below /v1.
struct KeyPath {
  std::string mount;  ///< Without slashes around it.
  std::string name;

  /// "transit/sign/codesign", as policies name it.
  [[nodiscard]] std::string operation(std::string_view verb) const {
    return mount + "/" + std::string(verb) + "/" + name;
  }
};

/// @errors `config` when `key` is not set.
Result<KeyPath> key_path(const ProviderSettings& settings);

/// The client that the settings describe; makes no call.
Result<VaultClient> make_client(const ProviderSettings& settings, World world);

/// A version of the key with the certificates that belong to it.
struct KeyVersion {
  int number{};
  std::string type;  ///< "rsa-3072", "ecdsa-p256"
  Chain chain;
  std::optional<TimePoint> server_time;
  TimePoint received{};
};

/// The version that the settings name, or the newest that has the certificate's key. Certificates
/// are those that Vault keeps with the version, or those of setting `chain`.
///
/// @errors `config` when there is none, and for keys that do not sign.
Result<KeyVersion> find_version(const VaultClient& client,
                                const KeyPath& path,
                                const ProviderSettings& settings);

/// Body of a signing request.
[[nodiscard]] Json sign_request_body(const KeyVersion& version, ByteView digest, DigestAlg alg);

/// The octets in "vault:v3:BASE64"; empty when it is something else, or of another version.
[[nodiscard]] std::optional<Bytes> parse_signature(std::string_view text, int version);

/// The key as a version of it that was found.
[[nodiscard]] std::shared_ptr<SigningKey> make_key(VaultClient client,
                                                   KeyPath path,
                                                   KeyVersion version);

/// Opens the key: logs in, and finds the version that belongs to the certificate.
Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::vault
