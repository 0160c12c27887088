// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <vector>

namespace signctl::providers::google_kms {

/// What Provider::diagnose says; docs/providers/google-kms.md lists the findings.
[[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::google_kms
