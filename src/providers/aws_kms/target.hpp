// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/profile.hpp"
#include "providers/common/rest.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <string>

namespace signctl::providers::aws_kms {

/// Which key, where, and how it is reached.
struct Target {
  std::string key_id;  ///< As KMS takes it: UUID, ARN, "alias/..." or "mrk-...".
  std::string region;
  Service kms;
  Service sts;
};

/// What the settings, the AWS variables and the profile say together.
///
/// @errors `config` when the key or the region is missing or malformed, or an endpoint is no URL.
Result<Target> find_target(const ProviderSettings& settings, World world, const Profile& profile);

}  // namespace signctl::providers::aws_kms
