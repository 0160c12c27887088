// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/login.hpp"

#include "core/file.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "providers/aws_kms/metadata.hpp"
#include "providers/aws_kms/sts.hpp"
#include "providers/common/github_token.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl::providers::aws_kms {
namespace {

constexpr const char* kAudience = "sts.amazonaws.com";

/// Everything that a login is made from.
struct Inputs {
  const ProviderSettings& settings;
  World world;
  const Target& target;
  const Profiles& profiles;

  [[nodiscard]] std::string variable(std::string_view name) const {
    return world.environment.get(name).value_or("");
  }
};

/// The value of a setting, or of the variable's older name.
std::string either(const Inputs& inputs, std::string_view key, std::string_view old_variable) {
  const std::string value = inputs.settings.get(key);
  return value.empty() ? inputs.variable(old_variable) : value;
}

Secret secret_of(const Inputs& inputs, const std::string& key, std::string_view old_variable) {
  const auto found = inputs.settings.secrets.find(key);
  return found == inputs.settings.secrets.end() ? Secret(inputs.variable(old_variable))
                                                : found->second;
}

/// A profile that the settings name in so many words, rather than AWS_PROFILE or nobody.
bool is_profile_chosen(const Inputs& inputs) {
  const std::string named = inputs.settings.get("profile");
  return !named.empty() && named != inputs.variable("AWS_PROFILE");
}

std::string profile_name(const ProviderSettings& settings) {
  const std::string named = settings.get("profile");
  return named.empty() ? "default" : named;
}

bool holds_credentials(const Profile& profile) {
  constexpr std::array<std::string_view, 5> kSigns{
      "aws_access_key_id", "role_arn", "credential_process", "sso_session", "sso_start_url"};
  return std::ranges::any_of(kSigns,
                             [&](std::string_view key) { return !profile.secret(key).empty(); });
}

Result<RoleRequest> role_of(const Inputs& inputs) {
  const std::string arn = inputs.settings.get("role_arn");
  if (arn.empty()) {
    return Error{ErrorKind::config,
                 R"(aws-kms: "role_arn" is not set)",
                 "give the role that the identity token may take on, or set AWS_ROLE_ARN"};
  }
  const std::string session = inputs.settings.get("role_session_name");
  return RoleRequest{arn, session.empty() ? "signctl" : session};
}

Result<Login> by_access_key(const Inputs& inputs) {
  AwsCredentials credentials{either(inputs, "access_key_id", "AWS_ACCESS_KEY"),
                             secret_of(inputs, "secret_access_key", "AWS_SECRET_KEY"),
                             secret_of(inputs, "session_token", "")};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return Error{ErrorKind::config,
                 R"(aws-kms: "access_key_id" and "secret_access_key" belong together)",
                 "set both, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
  }
  if (!std::ranges::all_of(credentials.access_key_id,
                           [](unsigned char c) { return std::isalnum(c) != 0; })) {
    return Error{ErrorKind::config,
                 "aws-kms: access_key_id is not an access key id",
                 "it looks like AKIAIOSFODNN7EXAMPLE; is the secret in its place?"};
  }
  return Login{"access key " + credentials.access_key_id,
               Renewal::pointless,
               [credentials]() -> Result<AwsCredentials> { return credentials; }};
}

Result<Login> by_web_identity(const Inputs& inputs) {
  SIGNCTL_TRY(const RoleRequest role, role_of(inputs), "");
  const std::string file = inputs.settings.get("web_identity_token_file");
  if (file.empty()) {
    return Error{ErrorKind::config,
                 R"(aws-kms: "web_identity_token_file" is not set)",
                 "give the file with the identity token, or set AWS_WEB_IDENTITY_TOKEN_FILE"};
  }
  // Read at each login: whoever wrote the file replaces it before it expires.
  return Login{
      "web identity for " + role.role_arn,
      Renewal::possible,
      [world = inputs.world, target = inputs.target, role, file]() -> Result<AwsCredentials> {
        SIGNCTL_TRY(
            const Bytes token, read_file(file, kLargestSecret), "reading the web identity token");
        std::string text(as_text(token));
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
          text.pop_back();
        }
        return assume_with_web_identity(world, target, role, Secret(std::move(text)));
      }};
}

Result<Login> by_github(const Inputs& inputs) {
  SIGNCTL_TRY(const RoleRequest role, role_of(inputs), "");
  return Login{"GitHub's identity token for " + role.role_arn,
               Renewal::possible,
               [world = inputs.world, target = inputs.target, role]() -> Result<AwsCredentials> {
                 SIGNCTL_TRY(const Secret token, github_token(world, kAudience), "");
                 return assume_with_web_identity(world, target, role, token);
               }};
}

Result<Login> by_profile(const Inputs& inputs) {
  const std::string name = profile_name(inputs.settings);
  // Read again at each login: other tools renew what is in the files.
  return Login{"AWS profile \"" + printable(name) + "\"",
               Renewal::possible,
               [world = inputs.world, target = inputs.target, name]() -> Result<AwsCredentials> {
                 SIGNCTL_TRY(const Profiles profiles, load_profiles(world.environment), "");
                 return profile_credentials(world, target, profiles, name);
               }};
}

Result<Login> by_container(const Inputs& inputs) {
  return Login{"the container's role", Renewal::possible, [world = inputs.world] {
                 return container_credentials(world);
               }};
}

Result<Login> by_instance(const Inputs& inputs) {
  return Login{"the EC2 instance's role", Renewal::possible, [world = inputs.world] {
                 return instance_credentials(world);
               }};
}

/// What is left when there is nothing else; that nobody answers there is then no network trouble.
Result<Login> by_default(const Inputs& inputs) {
  return Login{"the EC2 instance's role",
               Renewal::possible,
               [world = inputs.world]() -> Result<AwsCredentials> {
                 auto credentials = instance_credentials(world);
                 if (credentials || credentials.error().kind != ErrorKind::network) {
                   return credentials;
                 }
                 return Error{ErrorKind::auth,
                              "no AWS credentials were found: none in the settings, the "
                              "environment, the profiles, the container or the EC2 instance",
                              "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or "
                              "role_arn with an identity token"};
               }};
}

Result<Login> choose(const Inputs& inputs) {
  const auto has = [&](std::string_view key) { return !inputs.settings.get(key).empty(); };
  const bool profile_there = [&] {
    const auto found = inputs.profiles.find(profile_name(inputs.settings));
    return found != inputs.profiles.end() && holds_credentials(found->second);
  }();
  if (is_profile_chosen(inputs)) {
    return by_profile(inputs);
  }
  if (!either(inputs, "access_key_id", "AWS_ACCESS_KEY").empty()) {
    return by_access_key(inputs);
  }
  if (has("web_identity_token_file")) {
    return by_web_identity(inputs);
  }
  if (has("role_arn") && !inputs.variable("ACTIONS_ID_TOKEN_REQUEST_URL").empty()) {
    return by_github(inputs);
  }
  if (has("profile") || profile_there) {
    return by_profile(inputs);
  }
  if (!inputs.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
      !inputs.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
    return by_container(inputs);
  }
  return by_default(inputs);
}

struct Method {
  std::string_view name;
  Result<Login> (*make)(const Inputs& inputs);
};
constexpr std::array<Method, 7> kMethods{{{"auto", choose},
                                          {"access-key", by_access_key},
                                          {"web-identity", by_web_identity},
                                          {"github", by_github},
                                          {"profile", by_profile},
                                          {"container", by_container},
                                          {"instance", by_instance}}};

}  // namespace

Result<Profile> find_profile(const ProviderSettings& settings, const Profiles& profiles) {
  const auto found = profiles.find(profile_name(settings));
  if (found != profiles.end()) {
    return found->second;
  }
  const std::string named = settings.get("profile");
  if (named.empty()) {
    return Profile{};
  }
  return Error{ErrorKind::config,
               "there is no AWS profile \"" + printable(named) + "\"",
               "`aws configure list-profiles` names those that there are"};
}

Result<Login> choose_login(const ProviderSettings& settings,
                           World world,
                           const Target& target,
                           const Profiles& profiles) {
  const std::string named = settings.get("auth");
  const Inputs inputs{settings, world, target, profiles};
  for (const Method& method : kMethods) {
    if (method.name == (named.empty() ? "auto" : named)) {
      return method.make(inputs);
    }
  }
  std::vector<std::string> names;
  names.reserve(std::size(kMethods));
  for (const Method& method : kMethods) {
    names.emplace_back(method.name);
  }
  return Error{ErrorKind::config,
               "aws-kms: \"" + printable(named) + "\" is not a value of auth",
               "use one of " + join(names, ", ")};
}

}  // namespace signctl::providers::aws_kms
