// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/finding.hpp>
#include <signctl/trust_store.hpp>

#include <vector>

namespace signctl::trust {

/// Rules that OpenSSL's path validation does not have, or has differently: key strength, digest
/// strength, named curves, key usage, and extended key usage along the whole path.
[[nodiscard]] std::vector<Finding> check_path(const std::vector<crypto::Certificate>& path,
                                              TrustPurpose purpose);

/// "certificate CN=...".
[[nodiscard]] std::string subject_of(const crypto::Certificate& certificate);

}  // namespace signctl::trust
