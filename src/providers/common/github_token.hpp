// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <string>

namespace signctl::providers {

/// A new identity token of the running GitHub Actions job. They live five minutes: ask for one at
/// each login.
///
/// @errors `auth` when the job may not have one, or GitHub refuses.
Result<Secret> github_token(World world, const std::string& audience);

}  // namespace signctl::providers
