// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/signing_key.hpp"
#include "providers/google_kms/client.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::google_kms {

/// What a key version signs with: its algorithm fixes padding and, unless it is raw, the hash.
struct Algorithm {
  std::string name;                 ///< "RSA_SIGN_PKCS1_3072_SHA256"
  std::optional<DigestAlg> digest;  ///< Empty for the raw ones, which take any DigestInfo.
};

/// @errors `unsupported` for algorithms that Windows does not verify.
Result<Algorithm> parse_algorithm(const std::string& name);

/// A version with its public key.
struct KeyVersion {
  std::string name;
  Algorithm algorithm;
  Bytes spki;
  std::string protection;  ///< "HSM", "SOFTWARE"; may be empty.
  std::optional<TimePoint> server_time;
  TimePoint received{};
};

/// The version that the settings name, or the newest enabled one whose key is the leaf's.
///
/// @errors `config` when there is none, and for a key that is not the leaf's.
Result<KeyVersion> find_version(const KmsClient& client, const Chain& chain);

/// Body of asymmetricSign for a digest.
[[nodiscard]] Json sign_request_body(const Algorithm& algorithm, ByteView digest, DigestAlg alg);

/// The signature in an answer whose checksums are all right; empty when something was damaged on
/// the way.
[[nodiscard]] std::optional<Bytes> intact_signature(const Json& answer, const KeyVersion& version);

/// The key as a version of it that was found for the chain.
[[nodiscard]] std::shared_ptr<SigningKey> make_key(KmsClient client,
                                                   Chain chain,
                                                   KeyVersion version);

/// Opens the key: reads the chain, logs in, and finds the version that belongs to the certificate.
Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::google_kms
