// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>
#include <signctl/world.hpp>

namespace signctl::providers::vault {

/// What Provider::examine says; docs/providers/vault.md lists the findings.
[[nodiscard]] Examination examine(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::vault
