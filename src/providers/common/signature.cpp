// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.hpp"
#include "providers/common/material.hpp"

#include <algorithm>

namespace signctl::providers {

namespace {

/// Octets of r and of s for a curve of that many bits: P-521 needs 66.
std::size_t field_size(const crypto::Certificate& leaf) {
  return (static_cast<std::size_t>(std::max(leaf.key().bits, 0)) + 7) / 8;
}

}  // namespace

Result<Bytes> ecdsa_to_der(ByteView raw) {
  constexpr std::size_t kLongest = std::size_t{2} * 66;
  if (raw.empty() || raw.size() % 2 != 0 || raw.size() > kLongest) {
    return Error{ErrorKind::provider,
                 "an ECDSA signature of " + std::to_string(raw.size()) + " bytes is not r and s"};
  }
  const std::size_t half = raw.size() / 2;
  return der::sequence(
      {der::unsigned_integer(raw.first(half)), der::unsigned_integer(raw.subspan(half))});
}

Result<Bytes> checked_signature(const crypto::Certificate& leaf,
                                ByteView digest,
                                DigestAlg alg,
                                ByteView signature) {
  if (crypto::verify_digest(leaf, digest, alg, signature)) {
    return Bytes(signature.begin(), signature.end());
  }
  // The first byte does not tell the two forms apart: r may begin with 30 too.
  if (leaf.key().type == crypto::KeyType::ec && signature.size() == 2 * field_size(leaf)) {
    SIGNCTL_TRY(Bytes converted, ecdsa_to_der(signature), "");
    if (crypto::verify_digest(leaf, digest, alg, converted)) {
      return converted;
    }
  }
  return Error{ErrorKind::provider,
               "the returned signature does not match certificate " + leaf.info().sha256_hex +
                   "; nothing was written",
               "the key and the certificate of this signer do not belong together, or the service "
               "signed something else; it is not asked again, because each signature may cost"};
}

}  // namespace signctl::providers
