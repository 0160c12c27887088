// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <memory>

namespace signctl::crypto {

/// Incremental hash. Movable; after finish() it may not be used again.
class Hasher {
 public:
  explicit Hasher(DigestAlg alg);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(ByteView bytes);
  [[nodiscard]] Bytes finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Hash of one buffer.
[[nodiscard]] Bytes hash(DigestAlg alg, ByteView bytes);

/// HMAC (RFC 2104).
[[nodiscard]] Bytes hmac(DigestAlg alg, ByteView key, ByteView message);

/// Cryptographically strong random bytes.
[[nodiscard]] Bytes random_bytes(std::size_t count);

}  // namespace signctl::crypto
