// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>
#include <signctl/world.hpp>

namespace signctl::providers::aws_kms {

/// What Provider::examine says; docs/providers/aws-kms.md lists the findings.
[[nodiscard]] Examination examine(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::aws_kms
