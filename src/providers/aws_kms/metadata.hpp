// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/sigv4.hpp"
#include "providers/common/rest.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <string_view>

namespace signctl::providers::aws_kms {

/// Credentials from ECS, EKS pod identity or another agent that AWS_CONTAINER_CREDENTIALS_* name.
Result<AwsCredentials> container_credentials(World world);

/// Credentials of the EC2 instance's profile, by IMDSv2.
///
/// @errors `network` when nothing answers there, `auth` when it has none to give.
Result<AwsCredentials> instance_credentials(World world);

/// Credentials from a JSON object, as agents and credential processes write it. `token` is what
/// the session token is called.
///
/// @errors `auth`, naming `source`, when they are not complete.
Result<AwsCredentials> credentials_from_json(const Json& json,
                                             std::string_view token,
                                             std::string_view source);

}  // namespace signctl::providers::aws_kms
