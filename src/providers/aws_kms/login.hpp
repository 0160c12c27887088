// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/profile.hpp"
#include "providers/aws_kms/sigv4.hpp"
#include "providers/aws_kms/target.hpp"
#include "providers/common/renewing.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <string>

namespace signctl::providers::aws_kms {

/// One way of getting AWS credentials, chosen.
struct Login {
  std::string description;  ///< "the access key of the environment", for people.
  Renewal renewal{Renewal::possible};
  Renewing<AwsCredentials>::Fetch fetch;
};

/// The login that `auth` names or, for "auto", the first that there is something for; no other is
/// tried afterwards.
///
/// @errors `config` for an unknown `auth` or one that lacks its settings.
Result<Login> choose_login(const ProviderSettings& settings,
                           World world,
                           const Target& target,
                           const Profiles& profiles);

/// The profile that the settings name.
///
/// @errors `config` when one is named that does not exist.
Result<Profile> find_profile(const ProviderSettings& settings, const Profiles& profiles);

/// Credentials as a profile says they are to be had.
Result<AwsCredentials> profile_credentials(World world,
                                           const Target& target,
                                           const Profiles& profiles,
                                           const std::string& name);

}  // namespace signctl::providers::aws_kms
