// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signctl::providers::signserver {

/// A worker of a SignServer, spoken to with a client certificate or a token. Safe to share between
/// threads.
class Worker {
 public:
  /// Makes no call.
  ///
  /// @errors `config` for settings that are missing or wrong; as load_client_identity() and
  ///         chain_with_file().
  static Result<std::shared_ptr<Worker>> open(const ProviderSettings& settings, World world);

  /// Whether the worker lets us in and takes digests of `alg`. Sends one that has no digest's
  /// length, which the worker refuses after it has checked everything else: nothing is signed.
  ///
  /// @errors `auth`, `config`, `network` or `provider`, as a signature would fail.
  Result<void> probe(DigestAlg alg);

  /// Whether it lets us in and takes digests of some algorithm.
  Result<void> check_access();

  /// @errors as SigningSession::sign().
  Result<SignedDigest> sign(ByteView digest, DigestAlg alg);

  /// The chain, as far as it is known: from setting `chain`, or from the first signature.
  [[nodiscard]] std::optional<Chain> chain() const;

  /// The certificate shown in the TLS handshake; empty without one.
  [[nodiscard]] const std::vector<crypto::Certificate>& client_chain() const { return client_; }
  /// The service's clock when it was probed, and ours.
  [[nodiscard]] const std::optional<std::pair<TimePoint, TimePoint>>& clocks() const {
    return clocks_;
  }

 private:
  Worker(RestClient rest, ProviderSettings settings, std::vector<crypto::Certificate> client);

  /// The chain of the certificate that came with a signature, which may be another than last time.
  Result<Chain> chain_for(const Json& answer);

  RestClient rest_;
  ProviderSettings settings_;
  std::vector<crypto::Certificate> client_;
  std::optional<std::pair<TimePoint, TimePoint>> clocks_;
  mutable std::mutex mutex_;
  std::optional<Chain> chain_;
};

}  // namespace signctl::providers::signserver
