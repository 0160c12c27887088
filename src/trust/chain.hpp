// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/finding.hpp>
#include <signctl/report.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <span>
#include <vector>

namespace signctl::trust {

/// A path from a leaf to where it ended.
struct Chain {
  std::vector<crypto::Certificate> certificates;  ///< Leaf first; the anchor last when trusted.
  std::optional<Anchor> anchor;                   ///< Empty if no path reached one.
  std::vector<Finding>
      findings;  ///< What is wrong with it; empty and anchored is the only good chain.
};

struct ChainRequest {
  crypto::Certificate leaf;
  std::span<const crypto::Certificate> pool;  ///< Untrusted intermediates; hostile.
  TimePoint at{};                             ///< Time at which everything must be valid.
  /// When the leaf's own validity is judged at another time (lifetime signing).
  std::optional<TimePoint> leaf_at;
  TrustPurpose purpose{TrustPurpose::code_signing};
};

/// Builds and checks the chain (formats.md-style rules: RFC 5280 path validation through OpenSSL
/// plus EKU nesting, key usage, algorithm strength). Any path that validates is preferred; work is
/// bounded. Finding ids: "chain-untrusted", "chain-incomplete", "certificate-expired",
/// "certificate-not-yet-valid", "certificate-signature", "eku-missing", "eku-wrong", "key-usage",
/// "basic-constraints", "path-length", "name-constraints", "weak-key", "weak-certificate-digest",
/// "forbidden-key", "forbidden-digest", "explicit-curve", "critical-extension". Subject is
/// "certificate <subject>".
Chain build_chain(const ChainRequest& request, const TrustStore& store);

/// For people.
ChainInfo describe(const Chain& chain);

}  // namespace signctl::trust
