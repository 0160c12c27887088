// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "providers/aws_kms/login.hpp"
#include "providers/aws_kms/metadata.hpp"
#include "providers/aws_kms/sts.hpp"

#include <chrono>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

constexpr std::chrono::seconds kProcessLimit{60};
constexpr int kDeepest = 5;  // Roles of roles; more is a loop.

/// Resolves profiles that may refer to each other.
class Resolver {
 public:
  Resolver(World world, const Target& target, const Profiles& profiles)
      : world_(world), target_(target), profiles_(profiles) {}

  Result<AwsCredentials> resolve(const std::string& name, int depth) {
    const auto found = profiles_.find(name);
    if (found == profiles_.end()) {
      return Error{ErrorKind::config,
                   "there is no AWS profile \"" + printable(name) + "\"",
                   "`aws configure list-profiles` names those that there are"};
    }
    if (depth > kDeepest) {
      return Error{ErrorKind::config,
                   "the AWS profile \"" + printable(name) + "\" refers to itself in a circle"};
    }
    const Profile& profile = found->second;
    if (!profile.get("role_arn").empty()) {
      return role_of(profile, depth);
    }
    return own_of(profile);
  }

 private:
  static Result<AwsCredentials> static_of(const Profile& profile) {
    return AwsCredentials{profile.get("aws_access_key_id"),
                          profile.secret("aws_secret_access_key"),
                          profile.secret("aws_session_token")};
  }

  static bool has_keys(const Profile& profile) {
    return !profile.secret("aws_access_key_id").empty() &&
           !profile.secret("aws_secret_access_key").empty();
  }

  /// Credentials that a profile holds without taking on a role.
  Result<AwsCredentials> own_of(const Profile& profile) {
    if (has_keys(profile)) {
      return static_of(profile);
    }
    if (!profile.secret("credential_process").empty()) {
      return process_of(profile);
    }
    if (!profile.get("sso_session").empty() || !profile.get("sso_start_url").empty()) {
      return Error{ErrorKind::config,
                   "the AWS profile \"" + printable(profile.name) +
                       "\" logs in by IAM Identity Center, which signctl does not do itself",
                   "make a profile with credential_process = aws configure export-credentials "
                   "--profile NAME --format process"};
    }
    return Error{ErrorKind::auth,
                 "the AWS profile \"" + printable(profile.name) + "\" holds no credentials",
                 "give it an access key, a role_arn or a credential_process"};
  }

  static Result<AwsCredentials> process_of(const Profile& profile) {
    const Secret command = profile.secret("credential_process");
    SIGNCTL_TRY(
        const Secret output,
        read_command_output(std::string(command.reveal()), kProcessLimit, OutputPart::everything),
        "running credential_process of the AWS profile " + printable(profile.name));
    const Json json = parse_json(output.reveal());
    if (json.is_discarded() || !json.is_object() || !json.contains("Version") ||
        json["Version"] != 1) {
      return Error{ErrorKind::auth,
                   "credential_process of the AWS profile \"" + printable(profile.name) +
                       "\" did not print credentials",
                   "it must print a JSON object with \"Version\": 1"};
    }
    return credentials_from_json(json, "SessionToken", "credential_process");
  }

  Result<AwsCredentials> role_of(const Profile& profile, int depth) {
    if (!profile.get("mfa_serial").empty()) {
      return Error{ErrorKind::config,
                   "the AWS profile \"" + printable(profile.name) +
                       "\" asks for a code from a device, which a pipeline cannot give",
                   "use a role without mfa_serial"};
    }
    std::string session = profile.get("role_session_name");
    const RoleRequest role{profile.get("role_arn"),
                           session.empty() ? "signctl" : session,
                           profile.get("external_id"),
                           profile.get("duration_seconds")};
    const std::string token_file = profile.get("web_identity_token_file");
    if (!token_file.empty()) {
      SIGNCTL_TRY(const Bytes token,
                  read_file(token_file, kLargestSecret),
                  "reading web_identity_token_file");
      return assume_with_web_identity(world_, target_, role, Secret(std::string(as_text(token))));
    }
    SIGNCTL_TRY(const AwsCredentials source, source_of(profile, depth), "");
    return assume_role(world_, target_, role, source);
  }

  Result<AwsCredentials> source_of(const Profile& profile, int depth) {
    const std::string source = profile.get("source_profile");
    if (source == profile.name && has_keys(profile)) {
      return static_of(profile);
    }
    if (!source.empty()) {
      return resolve(source, depth + 1);
    }
    const std::string kind = profile.get("credential_source");
    if (kind == "EcsContainer") {
      return container_credentials(world_);
    }
    if (kind == "Ec2InstanceMetadata") {
      return instance_credentials(world_);
    }
    if (kind == "Environment") {
      const auto& environment = world_.environment;
      return AwsCredentials{environment.get("AWS_ACCESS_KEY_ID").value_or(""),
                            Secret(environment.get("AWS_SECRET_ACCESS_KEY").value_or("")),
                            Secret(environment.get("AWS_SESSION_TOKEN").value_or(""))};
    }
    return Error{ErrorKind::config,
                 "the AWS profile \"" + printable(profile.name) +
                     "\" has a role_arn but nothing to take the role on with",
                 "give it source_profile, credential_source or web_identity_token_file"};
  }

  World world_;
  const Target& target_;
  const Profiles& profiles_;
};

}  // namespace

Result<AwsCredentials> profile_credentials(World world,
                                           const Target& target,
                                           const Profiles& profiles,
                                           const std::string& name) {
  return Resolver(world, target, profiles).resolve(name, 0);
}

}  // namespace signctl::providers::aws_kms
