// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/world.hpp>

#include <string>
#include <vector>

namespace signctl::trust {

/// What was found above a certificate, and why there is no more.
struct FetchedIssuers {
  std::vector<crypto::Certificate> certificates;  ///< The nearest first; without a root.
  bool reached_root{false};  ///< The last issuer is self-signed, so nothing is missing.
  std::string trouble;       ///< Why it ended before; empty when it did not.
};

/// The issuers of `leaf` from where the certificates say they are published (AIA caIssuers; RFC
/// 5280, 4.2.2.1): DER, PEM or PKCS#7 over http or https, without redirects. Nothing that is
/// fetched is believed but for this: a CA certificate of the issuer's name whose key made the
/// signature. Bounded: four levels, two addresses each, 256 KiB an answer, ten seconds a request.
///
/// They are untrusted intermediates: whether the chain ends in an anchor is for build_chain().
[[nodiscard]] FetchedIssuers fetch_issuers(const crypto::Certificate& leaf, World world);

}  // namespace signctl::trust
