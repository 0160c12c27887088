// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>

#include <vector>

namespace signctl::providers::pfx {

/// What Provider::diagnose says; docs/providers/pfx.md lists the findings.
[[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings, const Clock& clock);

}  // namespace signctl::providers::pfx
