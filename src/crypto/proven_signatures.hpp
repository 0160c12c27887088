// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <mutex>
#include <set>

namespace signctl::crypto {

/// Signatures that have been verified lately. A run checks each twice, when a service returns it
/// and when the gate reads it back; the same certificate, digest and signature have the same
/// answer. Only good ones are remembered. Safe to use from several threads.
class ProvenSignatures {
 public:
  static ProvenSignatures& of_process();

  /// A SHA-256 over everything that the answer depends on.
  [[nodiscard]] static Bytes name(const Certificate& certificate,
                                  ByteView digest,
                                  DigestAlg alg,
                                  ByteView signature);

  [[nodiscard]] bool has(const Bytes& name);
  void add(const Bytes& name);

 private:
  std::mutex mutex_;
  std::set<Bytes> names_;
};

}  // namespace signctl::crypto
