// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/client.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl::providers::google_kms {
namespace {

/// The machine-readable reasons below error.details, joined by blanks.
std::string reasons_of(const Json& json) {
  std::string reasons;
  const auto error = json.is_object() ? json.find("error") : json.end();
  if (!json.is_object() || error == json.end() || !error->is_object()) {
    return reasons;
  }
  const auto details = error->find("details");
  if (details == error->end() || !details->is_array()) {
    return reasons;
  }
  const auto add = [&reasons](const std::string& reason) {
    reasons += (reasons.empty() || reason.empty() ? "" : " ") + reason;
  };
  for (const Json& detail : *details) {
    add(text_at(detail, {"reason"}));
    const auto violations = detail.is_object() ? detail.find("violations") : detail.end();
    if (detail.is_object() && violations != detail.end() && violations->is_array()) {
      std::ranges::for_each(*violations,
                            [&](const Json& violation) { add(text_at(violation, {"type"})); });
    }
  }
  return reasons;
}

bool is_transient_status(std::string_view status, std::string_view reasons) {
  constexpr std::array<std::string_view, 5> kTransient{
      "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "ABORTED"};
  return std::ranges::find(kTransient, status) != kTransient.end() ||
         reasons.find("KEY_PENDING_GENERATION") != reasons.npos;
}

/// Kind and hint for a status of Google's.
void classify(Error& error, std::string_view status, std::string_view reasons) {
  if (is_transient_status(status, reasons)) {
    error.kind = ErrorKind::network;
  } else if (reasons.find("SERVICE_DISABLED") != reasons.npos) {
    error.kind = ErrorKind::auth;
    error.hint = "switch the Cloud KMS API on in the key's project";
  } else if (status == "PERMISSION_DENIED") {
    error.kind = ErrorKind::auth;
    error.hint =
        "the identity needs roles/cloudkms.signerVerifier on the key (useToSign, viewPublicKey); "
        "to "
        "have versions listed, roles/cloudkms.viewer too";
  } else if (status == "UNAUTHENTICATED") {
    error.kind = ErrorKind::auth;
    error.hint = "check the credentials; an access token lives an hour";
  } else if (status == "NOT_FOUND" || status == "INVALID_ARGUMENT") {
    error.kind = ErrorKind::config;
    error.hint = "check the key's name, and above all its location";
  } else if (status == "FAILED_PRECONDITION") {
    error.kind = ErrorKind::provider;
    error.hint = "look at the state of the key version";
  }
}

Error explain(const Reply& reply, const KeyName& name) {
  const std::string status = text_at(reply.json, {"error", "status"});
  const std::string reasons = reasons_of(reply.json);
  std::string said = text_at(reply.json, {"error", "message"});
  if (!status.empty()) {
    said = status + (reasons.empty() ? "" : " " + reasons) + (said.empty() ? "" : ": " + said);
  }
  Error error = refusal_of(reply, "Google KMS", printable(said));
  if (reply.status == 404) {
    error.kind = ErrorKind::config;
    error.hint = "check endpoint";
  }
  classify(error, status, reasons);
  if (error.kind != ErrorKind::network) {
    return std::move(error).within("using " +
                                   printable(name.version.empty() ? name.key : name.version));
  }
  return error;
}

/// They become part of a path.
bool is_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:").find(c) != std::string_view::npos;
  });
}

std::vector<std::string_view> split_path(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == text.npos) {
      return parts;
    }
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<void> TokenAuthorizer::authorize(HttpRequest& request) {
  SIGNCTL_TRY(const AccessToken token, token_.get(), "logging in to Google");
  request.headers["Authorization"] = "Bearer " + std::string(token.text.reveal());
  return ok();
}

Result<KeyName> parse_key_name(const std::string& text) {
  constexpr std::array<std::string_view, 5> kKinds{
      "projects", "locations", "keyRings", "cryptoKeys", "cryptoKeyVersions"};
  std::string_view rest = text;
  for (const std::string_view prefix : {"gcpkms://", "//cloudkms.googleapis.com/", "/"}) {
    if (rest.starts_with(prefix)) {
      rest.remove_prefix(prefix.size());
    }
  }
  const Error wrong{ErrorKind::config,
                    text.empty()
                        ? R"(google-kms: "key" is not set)"
                        : "google-kms: \"" + printable(text) + "\" is not the full name of a key",
                    "write projects/P/locations/L/keyRings/R/cryptoKeys/K, and "
                    "/cryptoKeyVersions/N for a certain version"};
  const auto parts = split_path(rest);
  if (parts.size() != 8 && parts.size() != 10) {
    return wrong;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool good = i % 2 == 0 ? parts[i] == kKinds.at(i / 2) : is_segment(parts[i]);
    if (!good) {
      return wrong;
    }
  }
  KeyName name;
  name.key = std::string(rest);
  if (parts.size() == 10) {
    name.version = std::string(rest);
    name.key = name.version.substr(0, name.version.find("/cryptoKeyVersions/"));
  }
  return name;
}

Result<KmsClient> make_client(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(const KeyName name, parse_key_name(settings.get("key")), "");
  std::string url = settings.get("endpoint");
  SIGNCTL_TRY(Service service,
              service_of(settings,
                         "Google KMS",
                         url.empty() ? std::string_view("https://cloudkms.googleapis.com") : url,
                         "endpoint"),
              "");
  if (!service.base_url.ends_with("/v1")) {
    service.base_url += "/v1";
  }
  SIGNCTL_TRY(Login login, choose_login(settings, world), "");
  const std::string named = settings.get("auth");
  if (named.empty() || named == "auto") {
    log_info("google-kms: logging in with " + login.description);
  }
  auto authorizer = std::make_shared<TokenAuthorizer>(world.clock, std::move(login));
  RestClient rest(world, std::move(service), authorizer, [name](const Reply& reply) {
    return explain(reply, name);
  });
  return KmsClient{name, std::move(authorizer), std::move(rest)};
}

}  // namespace signctl::providers::google_kms
