// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/finding.hpp>
#include <signctl/trust_store.hpp>

#include <vector>

namespace signctl::crypto {

/// Rules that OpenSSL's path validation does not have, or has differently: key strength, digest
/// strength, named curves, key usage, and extended key usage along the whole path.
///
/// @param path  Leaf first. With the leaf alone, what speaks against it whoever has issued it.
/// @return      Findings of severity error, with the ids of trust/chain.hpp.
[[nodiscard]] std::vector<Finding> check_path(const std::vector<Certificate>& path,
                                              TrustPurpose purpose);

/// "certificate CN=...".
[[nodiscard]] std::string subject_of(const Certificate& certificate);

}  // namespace signctl::crypto
