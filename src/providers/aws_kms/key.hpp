// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/client.hpp"
#include "providers/common/signing_key.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signctl::providers::aws_kms {

/// The client that the settings describe; makes no call.
///
/// @errors `config` for the settings; `input` for AWS's shared files.
Result<KmsClient> make_client(const ProviderSettings& settings, World world);

/// What KMS says about a key pair (GetPublicKey).
struct PublicKey {
  std::string spec;                     ///< "RSA_3072", "ECC_NIST_P256"
  std::vector<std::string> algorithms;  ///< "RSASSA_PKCS1_V1_5_SHA_256", ...
  Bytes spki;
  std::optional<TimePoint> server_time;
  TimePoint received{};
};

/// @errors as KmsClient::call(); `config` for a key that does not sign.
Result<PublicKey> fetch_public_key(const KmsClient& client);

/// KMS's name for signing with a key of the leaf's kind; empty when there is none.
[[nodiscard]] std::string algorithm_name(const crypto::Certificate& leaf, DigestAlg alg);

/// The request for a signature over a digest.
[[nodiscard]] Json sign_request_body(const std::string& key_id,
                                     const std::string& algorithm,
                                     ByteView digest);

/// The key that was looked up, whose certificate leads the chain.
[[nodiscard]] std::shared_ptr<SigningKey> make_key(KmsClient client, Chain chain, PublicKey facts);

/// Opens the key: reads the chain, logs in, and compares the key with the certificate.
Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::aws_kms
