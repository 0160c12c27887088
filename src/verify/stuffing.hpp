// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"
#include "crypto/certificate.hpp"
#include "verify/unit.hpp"

#include <signctl/finding.hpp>

#include <string>
#include <vector>

namespace signctl::verify {

/// Names what a signature carries in places that nothing covers, unknown attributes, revocation
/// lists, attribute certificates and seals, and objects to more than such things need.
void check_stuffing(const Unit& unit, std::vector<Finding>& findings);

/// The same for a timestamp token, whose authority may have put revocation lists in it.
void check_token_stuffing(const cms::SignedData& token, std::vector<Finding>& findings);

/// The same for embedded certificates that no chain has a use for.
void check_surplus(const std::vector<crypto::Certificate>& surplus,
                   const std::string& subject,
                   std::vector<Finding>& findings);

/// The same for a counter-signature.
void check_countersignature_stuffing(const cms::SignerInfo& counter,
                                     std::vector<Finding>& findings);

}  // namespace signctl::verify
