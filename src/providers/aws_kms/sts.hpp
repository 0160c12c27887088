// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/sigv4.hpp"
#include "providers/aws_kms/target.hpp"

#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::aws_kms {

/// A role to take on.
struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string external_id{};
  std::string duration_seconds{};  ///< Empty for STS's default, an hour.
};

/// Credentials of a role for a token of an identity provider (AssumeRoleWithWebIdentity).
///
/// @errors `auth` for a refusal, with the token's own claims when the trust policy is the cause.
Result<AwsCredentials> assume_with_web_identity(World world,
                                                const Target& target,
                                                const RoleRequest& role,
                                                const Secret& token);

/// Credentials of a role for other AWS credentials (AssumeRole).
Result<AwsCredentials> assume_role(World world,
                                   const Target& target,
                                   const RoleRequest& role,
                                   const AwsCredentials& source);

/// The ARN that the credentials stand for (GetCallerIdentity), which needs no permission.
Result<std::string> caller_arn(World world,
                               const Target& target,
                               const AwsCredentials& credentials);

/// The text of the first element named `tag`; empty when there is none. Enough for the flat answers
/// of STS.
[[nodiscard]] std::string xml_text(std::string_view xml, std::string_view tag);

/// AWS's times: ISO 8601 in UTC, with or without a fraction or a numeric zero offset.
[[nodiscard]] std::optional<TimePoint> parse_aws_time(std::string_view text);

}  // namespace signctl::providers::aws_kms
