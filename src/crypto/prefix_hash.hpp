// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <signctl/digest_alg.hpp>

#include <cstdint>

namespace signctl::crypto {

/// The hash of a file's first bytes, to be gone on with.
struct PrefixHash {
  DigestAlg alg{};
  std::uint64_t length{};
  Hasher state;
};

/// What a Signable can do besides, if its digest begins with a hash over the file from its first
/// byte on, and signing leaves most of that in place: go on from a hash that was computed over the
/// draft while it was being filled.
class HashesFromStart {
 public:
  virtual ~HashesFromStart() = default;

  /// How many bytes from the start of the file embed() will leave as they are.
  [[nodiscard]] virtual std::uint64_t settled_prefix() const = 0;

  /// Gives the hash of this very file's first bytes. It is used once, where it fits.
  virtual void start_from(PrefixHash prefix) = 0;
};

}  // namespace signctl::crypto
