// SPDX-License-Identifier: Apache-2.0
#include "crypto/proven_signatures.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"

namespace signctl::crypto {

ProvenSignatures& ProvenSignatures::of_process() {
  // Never destroyed: threads may outlive what is destroyed at exit.
  static auto& proven =
      *new ProvenSignatures;  // NOLINT(cppcoreguidelines-owning-memory): as said above
  return proven;
}

Bytes ProvenSignatures::name(const Certificate& certificate,
                             ByteView digest,
                             DigestAlg alg,
                             ByteView signature) {
  // The algorithm says how long the digest is, so no two inputs run into each other.
  Hasher hasher(DigestAlg::sha256);
  hasher.update(as_bytes(certificate.info().sha256_hex));
  hasher.update(as_bytes(digest_name(alg)));
  hasher.update(digest);
  hasher.update(signature);
  return hasher.finish();
}

bool ProvenSignatures::has(const Bytes& name) {
  const std::lock_guard lock(mutex_);
  return names_.contains(name);
}

void ProvenSignatures::add(const Bytes& name) {
  constexpr std::size_t kMaxEntries = 256;
  const std::lock_guard lock(mutex_);
  if (names_.size() >= kMaxEntries) {
    names_.clear();
  }
  names_.insert(name);
}

}  // namespace signctl::crypto
