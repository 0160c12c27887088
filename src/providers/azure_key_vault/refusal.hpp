// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/azure_login.hpp"
#include "providers/common/rest.hpp"

#include <string>
#include <string_view>

namespace signctl::providers::azure_key_vault {

/// What Key Vault means when it refuses, and what to do about it.
[[nodiscard]] Error explain(const Reply& reply,
                            const std::string& vault,
                            azure::BearerAuthorizer& login);

/// What tokens for a vault are asked for: the same in every cloud but for its domain.
[[nodiscard]] std::string resource_of_vault(std::string_view url);

}  // namespace signctl::providers::azure_key_vault
