// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <vector>

namespace signctl::providers::pkcs11 {

/// What Provider::diagnose says; docs/providers/pkcs11.md lists the findings. Logs in like a
/// signing run does, once and under the same rules, and signs nothing.
[[nodiscard]] std::vector<Finding> diagnose(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::pkcs11
