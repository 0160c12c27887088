// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/azure_login.hpp"
#include "providers/common/rest.hpp"

#include <memory>
#include <string>

namespace signctl::providers::trusted_signing {

/// Who was refused what.
struct Refused {
  std::string endpoint;
  std::string account;
  std::string profile;
  std::shared_ptr<azure::BearerAuthorizer> login;
};

/// A 404 may carry a 403 inside. Not so a 500, whose text may hold those digits by chance.
[[nodiscard]] bool is_inner_refusal(const Reply& reply);

/// What Artifact Signing means when it refuses, and what to check. For a 403, whose body is often
/// empty, that is a list in the order in which the causes are met.
[[nodiscard]] Error explain(const Reply& reply, const Refused& refused);

}  // namespace signctl::providers::trusted_signing
