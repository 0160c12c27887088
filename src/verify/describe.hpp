// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verify/unit.hpp"

#include <signctl/report.hpp>

namespace signctl::verify {

/// Fills in what can be said of a signature without judging it: attributes decoded for people,
/// description, URL, algorithms, embedded certificates. Oddities become findings.
void describe(const Unit& unit, SignatureInfo& info, std::vector<Finding>& findings);

}  // namespace signctl::verify
