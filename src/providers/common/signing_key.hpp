// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/material.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers {

/// A key that a service keeps, with the certificates that belong to it: logged in to and looked up
/// once, shared by the sessions of a run. Safe to share between threads.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  [[nodiscard]] virtual const Chain& chain() const = 0;

  /// Whether the key signs digests of `alg`, with which signctl signs; digest_not_offered() if not.
  [[nodiscard]] virtual Result<void> check_digest(DigestAlg /*alg*/) const { return ok(); }

  /// The signature as the service gave it. `digest` has the size of `alg`, which check_digest() has
  /// found good.
  virtual Result<Bytes> sign(ByteView digest, DigestAlg alg) = 0;
};

/// A session on a key. Checks what goes in, and that what comes back verifies with the leaf.
[[nodiscard]] std::unique_ptr<SigningSession> make_session(std::shared_ptr<SigningKey> key);

/// The SubjectPublicKeyInfo (DER) of a PEM "PUBLIC KEY" block.
[[nodiscard]] std::optional<Bytes> spki_from_pem(std::string_view pem);

/// Whether the service's key is that of the chain's leaf; `key` names it for the message.
///
/// @errors `config` when it is not.
Result<void> check_key_of_chain(ByteView spki, const Chain& chain, const std::string& key);

/// The key's algorithm cannot sign with `alg`; `offered` says what it can, as the service names it.
[[nodiscard]] Error digest_not_offered(const std::string& key,
                                       DigestAlg alg,
                                       const std::string& offered);

}  // namespace signctl::providers
