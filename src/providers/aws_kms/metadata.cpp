// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/metadata.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "providers/aws_kms/sts.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

constexpr std::chrono::seconds kTimeout{3};
constexpr std::size_t kLargestToken = std::size_t{1} << 16U;
// Both are next door: what does not answer soon is not there.
constexpr RetryRules kRules{.attempts = 3,
                            .initial = std::chrono::milliseconds{200},
                            .max = std::chrono::milliseconds{1000},
                            .deadline = std::chrono::milliseconds{12'000}};

struct Place {
  std::string origin;
  std::string path;  ///< With its query.
};

Place split(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == url.npos ? 0 : scheme + 3);
  return {std::string(url.substr(0, slash)),
          slash == url.npos ? "/" : std::string(url.substr(slash))};
}

Result<Service> service_at(std::string_view name, const std::string& origin) {
  Service service;
  service.name = std::string(name);
  service.timeout = kTimeout;
  // EKS's agent listens on a unique local address, which no router passes on either.
  if (origin == "http://[fd00:ec2::23]") {
    service.base_url = origin;
    return service;
  }
  SIGNCTL_TRY(service.base_url, service_url(origin, name), "");
  return service;
}

/// What the agent wants to see in the Authorization header; may be empty.
Result<Secret> container_token(const Environment& environment) {
  const auto file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (file) {
    SIGNCTL_TRY(const Bytes bytes,
                read_file(*file, kLargestToken),
                "reading AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    token = as_text(bytes);
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) {
    token.pop_back();
  }
  if (token.find_first_of("\r\n") != token.npos) {
    return Error{ErrorKind::auth, "the container's authorization token has several lines"};
  }
  return Secret(std::move(token));
}

Error explain_instance(const Reply& reply) {
  Error error = refusal_of(reply, "the EC2 instance metadata service", "");
  if (error.kind == ErrorKind::network) {
    return error;
  }
  error.kind = ErrorKind::auth;
  const bool token_call = reply.status == 403;
  error.message = token_call ? "the EC2 instance metadata service is switched off (403)"
                             : "the EC2 instance metadata service has no credentials (" +
                                   std::to_string(reply.status) + ")";
  error.hint = "attach an instance profile to the machine, or set auth to another login";
  return error;
}

/// As IAM allows them; the name becomes part of a path.
bool is_role_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_+=,.@").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<AwsCredentials> credentials_from_json(const Json& json,
                                             std::string_view token,
                                             std::string_view source) {
  AwsCredentials credentials;
  credentials.access_key_id = text_at(json, {"AccessKeyId"});
  credentials.secret_access_key = Secret(text_at(json, {"SecretAccessKey"}));
  credentials.session_token = Secret(text_at(json, {token}));
  credentials.expires = parse_aws_time(text_at(json, {"Expiration"}));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return Error{ErrorKind::auth,
                 std::string(source) + " gave no complete AWS credentials",
                 "it must give AccessKeyId and SecretAccessKey as JSON"};
  }
  return credentials;
}

Result<AwsCredentials> container_credentials(World world) {
  constexpr std::string_view kName = "the container credentials agent";
  const auto relative = world.environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = world.environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full) {
    return Error{ErrorKind::auth,
                 "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set",
                 "give the task a role, or set auth to another login"};
  }
  const Place place = relative ? Place{"http://169.254.170.2", *relative} : split(*full);
  SIGNCTL_TRY(Service service, service_at(kName, place.origin), "");
  SIGNCTL_TRY(const Secret token, container_token(world.environment), "");
  Call call;
  call.path = place.path.starts_with('/') ? place.path : "/" + place.path;
  call.headers["Accept"] = "application/json";
  if (!token.empty()) {
    call.headers["Authorization"] = std::string(token.reveal());
  }
  const RestClient client(world, std::move(service), nullptr, [kName](const Reply& reply) {
    Error error = refusal_of(reply, std::string(kName), "");
    error.kind = error.kind == ErrorKind::network ? error.kind : ErrorKind::auth;
    error.hint = "check the role of the task or pod";
    return error;
  });
  SIGNCTL_TRY(const Reply reply, client.send(call, kRules), "fetching container credentials");
  return credentials_from_json(reply.json, "Token", kName);
}

Result<AwsCredentials> instance_credentials(World world) {
  if (to_lower(world.environment.get("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") {
    return Error{ErrorKind::auth,
                 "AWS_EC2_METADATA_DISABLED forbids to ask the instance metadata service",
                 "set AWS_ACCESS_KEY_ID, AWS_PROFILE or another login"};
  }
  std::string origin =
      world.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  SIGNCTL_TRY(Service service, service_at("the EC2 instance metadata service", origin), "");
  const RestClient client(world, std::move(service), nullptr, explain_instance);
  Call token_call;
  token_call.method = "PUT";
  token_call.path = "/latest/api/token";
  token_call.headers["Content-Length"] = "0";  // RFC 9110, 8.6: where a body would have a meaning.
  token_call.headers["X-aws-ec2-metadata-token-ttl-seconds"] = "21600";
  SIGNCTL_TRY(
      const Reply token, client.send(token_call, kRules), "asking the instance for a token");
  Call list;
  list.path = "/latest/meta-data/iam/security-credentials/";
  list.headers["X-aws-ec2-metadata-token"] = token.text;
  SIGNCTL_TRY(const Reply roles, client.send(list, kRules), "asking the instance for its role");
  const std::string role = roles.text.substr(0, roles.text.find_first_of("\r\n"));
  if (!is_role_name(role)) {
    return Error{ErrorKind::auth, "the instance metadata service names no valid role"};
  }
  Call call = list;
  call.path += role;
  SIGNCTL_TRY(const Reply reply, client.send(call, kRules), "fetching the instance's credentials");
  return credentials_from_json(reply.json, "Token", "the EC2 instance metadata service");
}

}  // namespace signctl::providers::aws_kms
