// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/azure_login.hpp"
#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"
#include "providers/trusted_signing/metadata.hpp"

#include <signctl/keeps_operations.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace signctl::providers::trusted_signing {

/// A signature with the certificates that made it: they live three days and are renewed daily, so
/// no two signatures need have the same.
struct Signed {
  Bytes signature;
  Chain chain;
};

/// What Artifact Signing notes down about a file beside the digest that it signs. Raw; empty when
/// not known.
struct FileHashes {
  Bytes file;          ///< SHA-256 of the whole file.
  Bytes authenticode;  ///< The digest in the signature's content.
};

/// A certificate profile of a signing account, logged in to. Safe to share between threads.
class Account {
 public:
  /// Makes no call.
  ///
  /// @errors `config` for settings that are missing or wrong.
  static Result<std::shared_ptr<Account>> open(const ProviderSettings& settings, World world);

  /// The chain in force, looked up once; costs no signature.
  Result<Chain> chain();

  /// @param note  As for KeepsOperations::keep_operation_in(); may be null.
  /// @errors as SigningSession::sign().
  Result<Signed> sign(ByteView digest,
                      DigestAlg alg,
                      const FileHashes& hashes,
                      OperationNote* note) const;

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] azure::BearerAuthorizer& login() const { return *login_; }
  /// The service's clock when the chain was looked up, and ours.
  [[nodiscard]] std::optional<std::pair<TimePoint, TimePoint>> clocks() const { return clocks_; }

 private:
  Account(std::shared_ptr<azure::BearerAuthorizer> login, RestClient rest, Place place);
  /// Asks for a signature. The answer may have it, or only the operation that will bring it.
  Result<Json> request(ByteView digest, DigestAlg alg, const FileHashes& hashes) const;
  /// The last answer about an operation; empty when the service knows of none (any more).
  Result<std::optional<Json>> wait_for(const std::string& operation) const;
  /// The signature of an operation that was accepted before; empty when it brings none.
  Result<std::optional<Signed>> resume(const std::string& operation,
                                       ByteView digest,
                                       DigestAlg alg) const;

  std::shared_ptr<azure::BearerAuthorizer> login_;
  RestClient rest_;
  Place place_;
  std::string path_;  ///< Of the profile.
  std::mutex mutex_;
  std::optional<Chain> chain_;
  std::optional<std::pair<TimePoint, TimePoint>> clocks_;
};

/// The certificates of an answer's `signingCertificate`: base64 of lines of base64 of PKCS#7, but a
/// version of the API may leave a layer out, or give PEM or the signing certificate alone.
///
/// @errors `provider` for anything else.
Result<Chain> chain_in(const std::string& text);

/// The durable identity among the extended key usages of a certificate: the same in every
/// certificate of a subscriber, while the certificates come and go; empty when there is none.
[[nodiscard]] std::string durable_identity(const crypto::Certificate& leaf);

/// A sentence about an endpoint whose region nobody has heard of; empty for the others.
[[nodiscard]] std::string doubt_about(std::string_view endpoint);

}  // namespace signctl::providers::trusted_signing
