// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/build_signature.hpp"
#include "engine/journal.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <string>

namespace signctl::engine {

/// Finished signatures of earlier runs in a folder, one file each: what has not changed since costs
/// nothing. Safe to share between threads and processes; files appear complete or not at all.
///
/// A file is named by the SHA-256 of its key: signer, digest of what is signed (and so the file's
/// digest and all options), and whether a timestamp was wanted. It holds a DER ContentInfo.
class SignatureCache {
 public:
  /// Creates the folder if need be.
  ///
  /// @errors `output`.
  static Result<SignatureCache> open(const std::string& folder_utf8);

  [[nodiscard]] std::optional<Bytes> find(const SignatureKey& key, bool timestamped) const;
  Result<void> add(const SignatureKey& key, bool timestamped, ByteView cms) const;
  void remove(const SignatureKey& key) const;

 private:
  explicit SignatureCache(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string path_of(const SignatureKey& key, bool timestamped) const;
  std::string folder_;
};

/// Whether `cms` is a signature of exactly what `wanted` says, valid with the key of its
/// certificate.
[[nodiscard]] bool is_signature_of(ByteView cms, const UnsignedSignature& wanted);

}  // namespace signctl::engine
