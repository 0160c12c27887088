// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/token.hpp"

#include "core/path.hpp"
#include "core/text.hpp"
#include "providers/google_kms/external_account.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

namespace signctl::providers::google_kms {
namespace {

constexpr RetryRules kMetadataRules{.attempts = 3,
                                    .initial = std::chrono::milliseconds{200},
                                    .max = std::chrono::milliseconds{1000},
                                    .deadline = std::chrono::milliseconds{12'000}};

Result<AccessToken> metadata_token(World world) {
  // The address rather than metadata.google.internal: no resolver is asked, so none can lie.
  const std::string host = world.environment.get("GCE_METADATA_HOST").value_or("169.254.169.254");
  Service service;
  service.name = "the Google metadata server";
  service.timeout = std::chrono::seconds{3};
  SIGNCTL_TRY(service.base_url,
              host == "metadata.google.internal"
                  ? Result<std::string>("http://169.254.169.254")
                  : service_url("http://" + host, "GCE_METADATA_HOST"),
              "");
  const RestClient client(world, service, nullptr, [](const Reply& reply) {
    return explain_token(reply,
                         "the Google metadata server",
                         "give the machine a service account with the scope cloud-platform");
  });
  Call call;
  call.path = "/computeMetadata/v1/instance/service-accounts/default/token";
  call.headers["Metadata-Flavor"] = "Google";
  SIGNCTL_TRY(const Reply reply,
              client.send(call, kMetadataRules),
              "asking the metadata server for a token");
  return token_in(reply, "the Google metadata server");
}

Result<Login> by_metadata(const ProviderSettings& /*settings*/, World world) {
  return Login{"the machine's service account", Renewal::possible, [world] {
                 return metadata_token(world);
               }};
}

/// What is left when there is nothing else; that nobody answers there is then no network trouble.
Result<Login> by_default(World world) {
  return Login{
      "the machine's service account", Renewal::possible, [world]() -> Result<AccessToken> {
        auto token = metadata_token(world);
        // Elsewhere the metadata server's name does not even exist, which is `config`.
        const bool is_there = token || (token.error().kind != ErrorKind::network &&
                                        token.error().kind != ErrorKind::config);
        if (is_there) {
          return token;
        }
        return Error{ErrorKind::auth,
                     "no Google credentials were found: no file, no token, and no "
                     "metadata server",
                     "set credentials or GOOGLE_APPLICATION_CREDENTIALS to a file"};
      }};
}

Result<Login> by_token(const ProviderSettings& settings, World /*world*/) {
  const auto found = settings.secrets.find("token");
  if (found == settings.secrets.end() || found->second.empty()) {
    return Error{ErrorKind::config,
                 R"(google-kms: "token" is not set)",
                 "give an access token, or set GOOGLE_OAUTH_ACCESS_TOKEN"};
  }
  const Secret text = found->second;
  return Login{"the access token given", Renewal::pointless, [text]() -> Result<AccessToken> {
                 return AccessToken{text};
               }};
}

Result<Login> by_file(const ProviderSettings& settings, World world) {
  const std::string path = settings.get("credentials");
  if (path.empty()) {
    return Error{ErrorKind::config,
                 R"(google-kms: "credentials" is not set)",
                 "give a credentials file, or set GOOGLE_APPLICATION_CREDENTIALS"};
  }
  return file_login(settings, world, path);
}

/// Where `gcloud auth application-default login` leaves its file; empty if there is none.
std::string gcloud_file(const Environment& environment) {
  std::string folder = environment.get("CLOUDSDK_CONFIG").value_or("");
  if (folder.empty()) {
    if (const auto roaming = environment.get("APPDATA")) {
      folder = *roaming + "/gcloud";
    } else if (const auto home = environment.get("HOME")) {
      folder = *home + "/.config/gcloud";
    }
  }
  const std::string path = folder + "/application_default_credentials.json";
  std::error_code failed;
  return !folder.empty() && std::filesystem::exists(to_path(path), failed) ? path : std::string();
}

Result<Login> choose(const ProviderSettings& settings, World world) {
  const auto token = settings.secrets.find("token");
  if (token != settings.secrets.end() && !token->second.empty()) {
    return by_token(settings, world);
  }
  if (!settings.get("credentials").empty()) {
    return by_file(settings, world);
  }
  const std::string gcloud = gcloud_file(world.environment);
  return gcloud.empty() ? by_default(world) : file_login(settings, world, gcloud);
}

struct Method {
  std::string_view name;
  Result<Login> (*make)(const ProviderSettings& settings, World world);
};
constexpr std::array<Method, 4> kMethods{
    {{"auto", choose}, {"credentials", by_file}, {"metadata", by_metadata}, {"token", by_token}}};

}  // namespace

Result<Login> choose_login(const ProviderSettings& settings, World world) {
  const std::string named = settings.get("auth");
  std::vector<std::string> names;
  for (const Method& method : kMethods) {
    if (method.name == (named.empty() ? "auto" : named)) {
      return method.make(settings, world);
    }
    names.emplace_back(method.name);
  }
  return Error{ErrorKind::config,
               "google-kms: \"" + printable(named) + "\" is not a value of auth",
               "use one of " + join(names, ", ")};
}

Result<AccessToken> token_in(const Reply& reply, const std::string& who) {
  std::string text = text_at(reply.json, {"access_token"});
  if (text.empty()) {
    text = text_at(reply.json, {"accessToken"});
  }
  if (text.empty() || text.find_first_of("\r\n") != text.npos) {
    return Error{ErrorKind::provider, who + " answered without an access token"};
  }
  AccessToken token{Secret(std::move(text))};
  const auto life = reply.json.find("expires_in");
  if (life != reply.json.end() && life->is_number_integer()) {
    token.expires = reply.received + std::chrono::seconds{life->get<std::int64_t>()};
  } else {
    token.expires = from_iso8601(text_at(reply.json, {"expireTime"}));
  }
  return token;
}

Error explain_token(const Reply& reply, const std::string& who, const std::string& hint) {
  // OAuth's two fields (RFC 6749, 5.2), or Google's own error object.
  std::string said = text_at(reply.json, {"error"});
  const std::string description = text_at(reply.json, {"error_description"});
  if (said.empty()) {
    said = text_at(reply.json, {"error", "message"});
  }
  said += description.empty() ? "" : (said.empty() ? "" : ": ") + description;
  Error error = refusal_of(reply, who, printable(said));
  if (error.kind != ErrorKind::network) {
    error.kind = ErrorKind::auth;
    error.hint = hint;
  }
  return error;
}

Place split_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == url.npos ? 0 : scheme + 3);
  return {url.substr(0, slash), slash == url.npos ? "/" : url.substr(slash)};
}

Result<Service> service_at(const ProviderSettings& settings,
                           const std::string& name,
                           const std::string& url,
                           const std::string& key) {
  return service_of(settings, name, split_url(url).origin, key);
}

}  // namespace signctl::providers::google_kms
