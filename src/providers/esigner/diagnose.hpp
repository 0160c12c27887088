// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>
#include <signctl/world.hpp>

namespace signctl::providers::esigner {

/// What Provider::examine says; docs/providers/esigner.md lists the findings. Neither authorizes
/// nor signs.
[[nodiscard]] Examination examine(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::esigner
