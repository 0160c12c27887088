// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <vector>

namespace signctl::providers::esigner {

/// What Provider::diagnose says; docs/providers/esigner.md lists the findings. Neither authorizes
/// nor signs.
[[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::esigner
