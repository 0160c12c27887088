// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <string>

namespace signctl {

/// What is to be timestamped.
struct StampRequest {
  Bytes
      signature;  ///< The SignerInfo's signature value; the imprint is its hash (RFC 3161, 2.4.1).
  DigestAlg alg{DigestAlg::sha256};  ///< Hash of the imprint.
  std::string policy;                ///< Wanted TSA policy, dotted OID; empty for any.
};

/// A timestamp token that has passed every check, and where it came from.
struct Stamp {
  Bytes token;         ///< DER ContentInfo, eContentType id-ct-TSTInfo.
  std::string source;  ///< URL of the authority.
  int attempts{1};     ///< Requests made until this one succeeded, over all servers.
};

/// A source of RFC 3161 timestamps. Safe to share between threads.
class Timestamper {
 public:
  virtual ~Timestamper() = default;

  /// @errors `timestamp` when an answer was had but is not acceptable; `network` when none was had.
  virtual Result<Stamp> stamp(const StampRequest& request) = 0;

  /// Whether a timestamp can be expected, so that no signature is paid for that could not be
  /// finished. While other threads are finding that out it waits for what they find.
  ///
  /// @errors `timestamp` when it cannot; `interrupted`.
  virtual Result<void> ready() { return ok(); }
};

}  // namespace signctl
