// SPDX-License-Identifier: Apache-2.0
// The logins of the machine itself: managed identities, and the az command.
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "providers/common/azure_parts.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace signctl::providers::azure {
namespace {

constexpr std::string_view kMetadata = "http://169.254.169.254";
constexpr std::string_view kMetadataPath = "/metadata/identity/oauth2/token";

/// Where this machine's managed identity is asked for.
struct Endpoint {
  std::string base;
  std::string path;  ///< With its query but for the resource.
  std::map<std::string, std::string> headers;
  std::chrono::milliseconds timeout{10'000};
  bool is_arc{false};  ///< Wants a secret that only this machine's administrators can read.
};

/// The URL in two, with the query that belongs to it.
Endpoint endpoint_at(const std::string& url, const std::string& version) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  Endpoint endpoint;
  endpoint.base = url.substr(0, slash);
  endpoint.path =
      (slash == std::string::npos ? "/" : url.substr(slash)) + "?api-version=" + version;
  return endpoint;
}

Endpoint find_endpoint(World world) {
  const auto url = world.environment.get("IDENTITY_ENDPOINT");
  const auto header = world.environment.get("IDENTITY_HEADER");
  if (url && header) {
    Endpoint endpoint = endpoint_at(*url, "2019-08-01");
    endpoint.headers["X-IDENTITY-HEADER"] = *header;
    return endpoint;
  }
  if (url && world.environment.get("IMDS_ENDPOINT")) {
    Endpoint endpoint = endpoint_at(*url, "2020-06-01");
    endpoint.headers["Metadata"] = "true";
    endpoint.is_arc = true;
    return endpoint;
  }
  const auto host = world.environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
  Endpoint endpoint =
      endpoint_at(std::string(kMetadata) + std::string(kMetadataPath), "2018-02-01");
  if (host) {
    endpoint.base = *host;
    while (endpoint.base.ends_with('/')) {
      endpoint.base.pop_back();
    }
  }
  endpoint.headers["Metadata"] = "true";
  return endpoint;
}

Error explain_identity(const Reply& reply) {
  Error error = refusal_of(
      reply, "the managed identity endpoint", text_at(reply.json, {"error_description"}));
  // The metadata service is being updated when it says 404 or 410.
  if (reply.status == 404 || reply.status == 410) {
    error.kind = ErrorKind::network;
  } else if (!is_transient(error.kind)) {
    error.kind = ErrorKind::auth;
    error.hint = "assign a managed identity to this machine; if it has several, set client_id";
  }
  return error;
}

/// Where the Azure Arc agent puts the secrets that prove who asks.
bool is_arc_secret(const std::string& path, const Environment& environment) {
  const std::filesystem::path file = to_path(path).lexically_normal();
  std::vector<std::filesystem::path> folders{"/var/opt/azcmagent/tokens"};
  if (const auto data = environment.get("ProgramData")) {
    folders.push_back(to_path(*data) / "AzureConnectedMachineAgent" / "Tokens");
  }
  std::error_code failed;
  return file.extension() == ".key" && std::filesystem::is_regular_file(file, failed) &&
         !std::filesystem::is_symlink(file, failed) &&
         std::find(folders.begin(), folders.end(), file.parent_path()) != folders.end();
}

/// The Arc agent's first answer is 401 and names a file; what is in it goes along the second time.
/// The name is only taken if it is one of the agent's own: whoever else listens there would
/// otherwise be sent any file of this machine.
Result<Secret> arc_secret(const Reply& refusal, const Environment& environment) {
  constexpr std::size_t kLargest = 4096;
  constexpr std::string_view kRealm = "Basic realm=";
  const auto found = refusal.headers.find("www-authenticate");
  const std::string challenge = found == refusal.headers.end() ? "" : found->second;
  if (refusal.status != 401 || !challenge.starts_with(kRealm)) {
    return Error{ErrorKind::auth, "the Azure Arc agent does not ask for its secret"};
  }
  std::string path = challenge.substr(kRealm.size());
  std::erase(path, '"');
  if (!is_arc_secret(path, environment)) {
    return Error{
        ErrorKind::auth,
        "the Azure Arc agent names a file that is not one of its secrets: " + printable(path),
        "check what IDENTITY_ENDPOINT leads to"};
  }
  auto bytes = read_file(path, kLargest);
  if (!bytes) {
    return Error{ErrorKind::auth,
                 "the Azure Arc agent's secret cannot be read: " + bytes.error().message,
                 "run as a member of the group himds (Windows: Hybrid agent extension "
                 "applications)"};
  }
  return Secret(std::string(as_text(*bytes)));
}

Result<void> answer_arc(const RestClient& rest, const std::string& client, Call& call) {
  if (!client.empty()) {
    return Error{ErrorKind::config,
                 "Azure Arc machines have a single identity, and client_id is set",
                 "leave client_id (AZURE_CLIENT_ID) out"};
  }
  SIGNCTL_TRY(const Reply refusal, rest.send_once(call), "");
  SIGNCTL_TRY(const Secret secret, arc_secret(refusal, rest.world().environment), "");
  call.headers["Authorization"] = "Basic " + std::string(secret.reveal());
  return ok();
}

}  // namespace

bool has_managed_identity(World world) {
  if (world.environment.get("IDENTITY_ENDPOINT")) {
    return true;
  }
  const Endpoint endpoint = find_endpoint(world);
  HttpRequest probe;
  probe.url = endpoint.base + endpoint.path;
  probe.connect_timeout = std::chrono::seconds(1);
  probe.timeout = std::chrono::seconds(1);
  // Any answer will do: without a resource it is a refusal.
  return world.http.send(probe).has_value();
}

Result<AccessToken> token_of_managed_identity(World world,
                                              const std::string& client,
                                              const std::string& resource) {
  const Endpoint endpoint = find_endpoint(world);
  Service service;
  service.name = "the managed identity endpoint";
  SIGNCTL_TRY(service.base_url, service_url(endpoint.base, "IDENTITY_ENDPOINT"), "");
  service.timeout = endpoint.timeout;
  Call call;
  call.path = endpoint.path + "&resource=" + percent_encode(resource);
  if (!client.empty() && !endpoint.is_arc) {
    call.path += "&client_id=" + percent_encode(client);
  }
  call.headers = endpoint.headers;
  RetryRules rules;
  rules.attempts = 3;
  rules.initial = std::chrono::seconds(1);
  const RestClient rest(world, std::move(service), nullptr, explain_identity);
  if (endpoint.is_arc) {
    SIGNCTL_CHECK(answer_arc(rest, client, call), "");
  }
  SIGNCTL_TRY(const Reply reply, rest.send(call, rules), "");
  return token_in(reply, "the managed identity endpoint");
}

Result<AccessToken> token_of_cli(World world,
                                 const std::string& tenant,
                                 const std::string& resource) {
  constexpr std::chrono::seconds kLimit{30};
  const auto is_plain = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
      return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
             (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == ':' ||
             letter == '/';
    });
  };
  // Both become part of a shell command.
  if (!is_plain(tenant) || !is_plain(resource)) {
    return Error{ErrorKind::config, "tenant_id has characters that no tenant's name has"};
  }
  std::string command = "az account get-access-token --output json --resource " + resource;
  if (!tenant.empty()) {
    command += " --tenant " + tenant;
  }
  auto output = read_command_output(command, kLimit, OutputPart::everything);
  if (!output) {
    Error error = std::move(output).error();
    error.kind = ErrorKind::auth;
    error.message = "the az command gives no token: " + error.message;
    error.hint = "run az login, or choose another auth";
    return error;
  }
  Reply reply;
  reply.json = parse_json(output->reveal());
  reply.received = world.clock.now();
  AccessToken token;
  token.text = Secret(text_at(reply.json, {"accessToken"}));
  if (token.text.empty()) {
    return Error{ErrorKind::auth, "the az command's answer holds no token", "run az login"};
  }
  const auto end = reply.json.find("expires_on");
  if (end != reply.json.end() && end->is_number_integer()) {
    token.expires = TimePoint{std::chrono::seconds(end->get<std::int64_t>())};
  }
  return token;
}

}  // namespace signctl::providers::azure
