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
constexpr std::string_view kArc = "http://127.0.0.1:40342/metadata/identity/oauth2/token";

/// Where this machine's managed identity is asked for.
struct Endpoint {
  std::string kind;  ///< "App Service"; empty for the metadata service, which no variable tells of.
  std::string_view variable{"IDENTITY_ENDPOINT"};  ///< Where `base` comes from, for messages.
  std::string base;
  std::string path;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> fields;  ///< All but resource and client.
  std::string client_field{"client_id"};      ///< Empty where there is a single identity.
  bool is_form{false};                        ///< The fields are a form, and no query.
  bool is_arc{false};  ///< Wants a secret that only this machine's administrators can read.
};

Endpoint endpoint_at(std::string kind, const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  Endpoint endpoint;
  endpoint.kind = std::move(kind);
  endpoint.base = url.substr(0, slash);
  endpoint.path = slash == std::string::npos ? "/" : url.substr(slash);
  return endpoint;
}

Endpoint app_service(const std::string& url, const std::string& header) {
  Endpoint endpoint = endpoint_at("App Service", url);
  endpoint.headers["X-IDENTITY-HEADER"] = header;
  endpoint.fields["api-version"] = "2019-08-01";
  return endpoint;
}

Endpoint machine_learning(const Environment& environment, const std::string& url) {
  Endpoint endpoint = endpoint_at("Azure Machine Learning", url);
  endpoint.variable = "MSI_ENDPOINT";
  endpoint.headers["secret"] = environment.get("MSI_SECRET").value_or("");
  endpoint.fields["api-version"] = "2017-09-01";
  endpoint.client_field = "clientid";
  if (const auto usual = environment.get("DEFAULT_IDENTITY_CLIENT_ID")) {
    endpoint.fields[endpoint.client_field] = *usual;
  }
  return endpoint;
}

Endpoint cloud_shell(const std::string& url) {
  Endpoint endpoint = endpoint_at("Cloud Shell", url);
  endpoint.variable = "MSI_ENDPOINT";
  endpoint.headers["Metadata"] = "true";
  endpoint.client_field.clear();
  endpoint.is_form = true;
  return endpoint;
}

Endpoint arc(const std::string& url) {
  Endpoint endpoint = endpoint_at("Azure Arc", url);
  endpoint.headers["Metadata"] = "true";
  endpoint.fields["api-version"] = "2020-06-01";
  endpoint.client_field.clear();
  endpoint.is_arc = true;
  return endpoint;
}

Endpoint metadata_service(const Environment& environment) {
  std::string host =
      environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST").value_or(std::string(kMetadata));
  while (host.ends_with('/')) {
    host.pop_back();
  }
  Endpoint endpoint = endpoint_at("", host + std::string(kMetadataPath));
  endpoint.variable = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
  endpoint.headers["Metadata"] = "true";
  endpoint.fields["api-version"] = "2018-02-01";
  return endpoint;
}

/// Whether the Azure Arc agent is installed: services may run without its variables.
bool has_arc_agent(const Environment& environment) {
  std::vector<std::filesystem::path> agents{"/opt/azcmagent/bin/himds"};
  if (const auto programs = environment.get("ProgramFiles")) {
    agents.push_back(to_path(*programs) / "AzureConnectedMachineAgent" / "himds.exe");
  }
  return std::any_of(agents.begin(), agents.end(), [](const std::filesystem::path& agent) {
    std::error_code failed;
    return std::filesystem::exists(agent, failed);
  });
}

Error service_fabric() {
  return {
      ErrorKind::unsupported,
      "this is Azure Service Fabric or Container Instances (IDENTITY_SERVER_THUMBPRINT is set), "
      "whose managed identity signctl cannot use: its endpoint is known by a SHA-1 thumbprint "
      "only",
      "set auth to workload-identity, client-certificate or client-secret; in Container "
      "Instances unset IDENTITY_ENDPOINT, and the metadata service is asked"};
}

/// In the order of Microsoft's own libraries, which is what tells one place from another.
Result<Endpoint> find_endpoint(const Environment& environment) {
  const auto url = environment.get("IDENTITY_ENDPOINT");
  const auto header = environment.get("IDENTITY_HEADER");
  if (url && header) {
    return environment.get("IDENTITY_SERVER_THUMBPRINT") ? Result<Endpoint>(service_fabric())
                                                         : app_service(*url, *header);
  }
  if (const auto older = environment.get("MSI_ENDPOINT")) {
    return environment.get("MSI_SECRET") ? machine_learning(environment, *older)
                                         : cloud_shell(*older);
  }
  if (url && environment.get("IMDS_ENDPOINT")) {
    return arc(*url);
  }
  return has_arc_agent(environment) ? arc(std::string(kArc)) : metadata_service(environment);
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

Result<void> answer_arc(const RestClient& rest, Call& call) {
  SIGNCTL_TRY(const Reply refusal, rest.send_once(call), "");
  SIGNCTL_TRY(const Secret secret, arc_secret(refusal, rest.world().environment), "");
  call.headers["Authorization"] = "Basic " + std::string(secret.reveal());
  return ok();
}

Result<Call> token_call(Endpoint endpoint, const std::string& client, const std::string& resource) {
  if (!client.empty() && endpoint.client_field.empty()) {
    return Error{ErrorKind::config,
                 endpoint.kind + " has a single identity, and client_id is set",
                 "leave client_id (AZURE_CLIENT_ID) out"};
  }
  endpoint.fields["resource"] = resource;
  if (!client.empty()) {
    endpoint.fields[endpoint.client_field] = client;
  }
  Call call;
  call.path = std::move(endpoint.path);
  call.headers = std::move(endpoint.headers);
  Bytes form = form_body(endpoint.fields);
  if (endpoint.is_form) {
    call.method = "POST";
    call.content_type = "application/x-www-form-urlencoded";
    call.body = std::move(form);
  } else {
    call.path += "?" + std::string(as_text(form));
  }
  return call;
}

}  // namespace

bool has_managed_identity(World world) {
  const auto endpoint = find_endpoint(world.environment);
  if (!endpoint || !endpoint->kind.empty()) {
    return true;
  }
  HttpRequest probe;
  probe.url =
      endpoint->base + endpoint->path + "?" + std::string(as_text(form_body(endpoint->fields)));
  probe.connect_timeout = std::chrono::seconds(1);
  probe.timeout = std::chrono::seconds(1);
  const auto answer = world.http.send(probe);
  if (!answer) {
    return false;
  }
  // Without a resource it is a refusal. AWS and Google have metadata servers at the same address,
  // whose refusals are pages.
  const Json refusal = parse_json(as_text(answer->body));
  return refusal.is_object() && refusal.contains("error") &&
         !answer->headers.contains("metadata-flavor");
}

Result<AccessToken> token_of_managed_identity(World world,
                                              const std::string& client,
                                              const std::string& resource) {
  SIGNCTL_TRY(const Endpoint endpoint, find_endpoint(world.environment), "");
  Service service;
  service.name = "the managed identity endpoint";
  SIGNCTL_TRY(service.base_url, service_url(endpoint.base, endpoint.variable), "");
  service.timeout = std::chrono::seconds(10);
  SIGNCTL_TRY(Call call, token_call(endpoint, client, resource), "");
  RetryRules rules;
  rules.attempts = 3;
  rules.initial = std::chrono::seconds(1);
  const RestClient rest(world, std::move(service), nullptr, explain_identity);
  if (endpoint.is_arc) {
    SIGNCTL_CHECK(answer_arc(rest, call), "");
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
    const bool is_absent = error.message.find("exit code 127") != std::string::npos;
    error.message = is_absent ? "the az command is not installed"
                              : "the az command gives no token: " + error.message;
    error.hint = is_absent ? "install the Azure CLI and run az login, or choose another auth"
                           : "run az login, or choose another auth";
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
