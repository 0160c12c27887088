// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/policy.hpp>
#include <signctl/report.hpp>

#include <string>
#include <vector>

namespace signctl {

/// What about a chain's leaf is not as the rule wants it, wanted and found; empty when all is.
///
/// An attribute must be there once, with exactly the wanted value: with two CNs a certificate could
/// show one to us and another to the user.
[[nodiscard]] std::vector<std::string> identity_mismatches(const ChainInfo& chain,
                                                           const IdentityRule& rule);

}  // namespace signctl
