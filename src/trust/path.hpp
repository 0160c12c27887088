// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "trust/chain.hpp"

#include <cstddef>
#include <vector>

namespace signctl::trust {

/// Hostile files may carry any number of certificates; real chains have three or four. No more of
/// them are looked at.
inline constexpr std::size_t kMaxPool = 64;

/// What OpenSSL objected to (X509_V_ERR_...), and where: 0 is the leaf.
struct Objection {
  int code{};
  int depth{};
};

/// A path from a leaf upwards, and what path validation (RFC 5280, 6) has against it.
struct Path {
  std::vector<crypto::Certificate> certificates;  ///< Leaf first, the anchor last if it has one.
  std::vector<Objection> objections;
};

/// The path from `request.leaf` to one of `anchors` that neither path validation nor
/// crypto::check_path() objects to, whatever the order of the pool and the anchors. If there is
/// none, the one with the fewest objections; if none reaches an anchor, how far OpenSSL came. Work
/// is bounded.
[[nodiscard]] Path find_path(const ChainRequest& request,
                             const std::vector<crypto::Certificate>& anchors);

}  // namespace signctl::trust
