// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/account.hpp"

#include <signctl/finding.hpp>
#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <vector>

namespace signctl::providers::pkcs11 {

/// What was found, and the token that it was found in: null unless all is well enough to sign.
struct Examined {
  std::vector<Finding> findings;
  std::shared_ptr<Account> account;
};

/// What Provider::examine says; docs/providers/pkcs11.md lists the findings. Logs in like a
/// signing run does, once and under the same rules, and signs nothing.
[[nodiscard]] Examined examine(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::pkcs11
