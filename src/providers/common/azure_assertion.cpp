// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "providers/common/azure_parts.hpp"
#include "providers/common/github_token.hpp"

#include <utility>

namespace signctl::providers::azure {
namespace {

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr std::string_view kAudience = "api://AzureADTokenExchange";
constexpr std::chrono::minutes kAssertionLife{10};

/// A random UUID (RFC 9562, version 4).
std::string make_uuid() {
  Bytes octets = crypto::random_bytes(16);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0FU) | 0x40U);
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3FU) | 0x80U);
  std::string text = to_hex(octets);
  for (const std::size_t at : {std::size_t{8}, std::size_t{13}, std::size_t{18}, std::size_t{23}}) {
    text.insert(at, "-");
  }
  return text;
}

Result<crypto::KeyBundle> read_login_certificate(const ProviderSettings& settings) {
  const std::string path = settings.get("client_certificate");
  const auto found = settings.secrets.find("client_certificate_password");
  const Secret password = found == settings.secrets.end() ? Secret() : found->second;
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kMaxFile), "");
  if (as_text(bytes).find("-----BEGIN") == std::string_view::npos) {
    return crypto::read_pkcs12(bytes, password);
  }
  SIGNCTL_TRY(auto key, crypto::read_private_key(bytes, password), "");
  SIGNCTL_TRY(auto chain, crypto::read_certificates(bytes), "");
  for (const crypto::Certificate& one : chain) {
    if (key.matches(one)) {
      return crypto::KeyBundle{std::move(key), crypto::order_chain(one, chain)};
    }
  }
  return Error{ErrorKind::config, "none of the certificates in the file belongs to its key"};
}

std::string encode_segment(const Json& json) {
  const std::string text = json.dump();
  return to_base64url(as_bytes(text));
}

/// Whether the assertion shall bring its certificates: Azure needs them where the application
/// trusts a subject and its issuer instead of one certificate.
enum class Show { thumbprint, chain };

Show shown_by(const Environment& environment) {
  const std::string text =
      to_lower(environment.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN").value_or(""));
  return text == "1" || text == "true" ? Show::chain : Show::thumbprint;
}

/// The assertion of a certificate: PS256, with the certificate's SHA-256 in standard base64, unlike
/// the rest of a JWT, because that is what Microsoft's own library sends.
Result<Secret> sign_assertion(const crypto::KeyBundle& bundle,
                              const Application& application,
                              World world) {
  const Bytes thumbprint = crypto::hash(DigestAlg::sha256, bundle.chain.front().der());
  const std::int64_t seconds = world.clock.now().time_since_epoch().count();
  Json header{{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", to_base64(thumbprint)}};
  if (shown_by(world.environment) == Show::chain) {
    for (const crypto::Certificate& one : bundle.chain) {
      header["x5c"].push_back(to_base64(one.der()));
    }
  }
  const Json claims{
      {"aud", application.service.base_url + application.token_path()},
      {"iss", application.client},
      {"sub", application.client},
      {"jti", make_uuid()},
      {"nbf", seconds},
      {"exp", seconds + std::chrono::seconds(kAssertionLife).count()},
  };
  const std::string signed_part = encode_segment(header) + "." + encode_segment(claims);
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(signed_part));
  SIGNCTL_TRY(const Bytes signature,
              bundle.key.sign_digest_pss(digest, DigestAlg::sha256),
              "signing the login assertion");
  return Secret(signed_part + "." + to_base64url(signature));
}

Assertion from_file(const std::string& path) {
  return [path]() -> Result<Secret> {
    // Read for each login: the platform replaces it.
    SIGNCTL_TRY(const Bytes bytes, read_file(path, kMaxFile), "reading the identity token");
    std::string text(as_text(bytes));
    text.erase(text.find_last_not_of(" \r\n\t") + 1);
    if (text.empty()) {
      return Error{ErrorKind::auth, "the identity token file " + printable(path) + " is empty"};
    }
    return Secret(std::move(text));
  };
}

/// Asks Azure DevOps, whose service connection is the identity.
Result<Secret> devops_token(World world, const std::string& url, const std::string& bearer) {
  const std::size_t slash =
      url.find('/', url.find("://") == std::string::npos ? 0 : url.find("://") + 3);
  Service service;
  service.name = "Azure DevOps";
  SIGNCTL_TRY(service.base_url, service_url(url.substr(0, slash), "SYSTEM_OIDCREQUESTURI"), "");
  Call call;
  call.method = "POST";
  call.path = (slash == std::string::npos ? "/" : url.substr(slash)) + "?api-version=7.1";
  const auto connection = world.environment.get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID");
  if (connection) {
    call.path += "&serviceConnectionId=" + percent_encode(*connection);
  }
  call.content_type = "application/json";
  call.headers["Authorization"] = "Bearer " + bearer;
  // Or a refused token ends at a sign-in page with status 203 or 302.
  call.headers["X-TFS-FedAuthRedirect"] = "Suppress";
  const RestClient client(world, std::move(service), nullptr, [](const Reply& reply) {
    Error error = refusal_of(reply, "Azure DevOps", {});
    if (!is_transient(error.kind)) {
      error.kind = ErrorKind::auth;
      error.hint =
          "map SYSTEM_ACCESSTOKEN: $(System.AccessToken) in the step's env, and run it "
          "in an Azure task that names the service connection";
    }
    return error;
  });
  SIGNCTL_TRY(const Reply reply, client.send(call), "asking Azure DevOps for an identity token");
  std::string token = text_at(reply.json, {"oidcToken"});
  if (token.empty()) {
    return Error{ErrorKind::auth,
                 "Azure DevOps answered without an identity token",
                 "map SYSTEM_ACCESSTOKEN: $(System.AccessToken) in the step's env"};
  }
  return Secret(std::move(token));
}

std::string audience_of(const Application& application) {
  const std::string& authority = application.service.base_url;
  std::string audience(kAudience);
  if (authority.ends_with(".us")) {
    audience += "USGov";
  } else if (authority.ends_with(".cn")) {
    audience += "China";
  }
  return audience;
}

}  // namespace

Result<CertificateLogin> certificate_login(const ProviderSettings& settings,
                                           World world,
                                           const Application& application) {
  auto read = read_login_certificate(settings);
  if (!read && read.error().kind == ErrorKind::auth && read.error().hint.empty()) {
    read.error().hint = "set client_certificate_password to the password of that file";
  }
  SIGNCTL_TRY(auto bundle,
              std::move(read),
              "reading client_certificate " + printable(settings.get("client_certificate")));
  if (bundle.key.facts().type != crypto::KeyType::rsa) {
    return Error{ErrorKind::config,
                 "the client certificate has no RSA key, which Azure logins need",
                 "register one with an RSA key of 2048 bits or more"};
  }
  const auto shared = std::make_shared<const crypto::KeyBundle>(std::move(bundle));
  return CertificateLogin{shared->chain.front(), [shared, world, application] {
                            return sign_assertion(*shared, application, world);
                          }};
}

std::optional<Federation> find_federation(const ProviderSettings& settings,
                                          World world,
                                          const Application& application) {
  const auto given = settings.secrets.find("federated_token");
  if (given != settings.secrets.end() && !given->second.empty()) {
    return Federation{"the given identity token",
                      [token = given->second]() -> Result<Secret> { return token; }};
  }
  if (const auto path = world.environment.get("AZURE_FEDERATED_TOKEN_FILE")) {
    return Federation{"the identity token in AZURE_FEDERATED_TOKEN_FILE", from_file(*path)};
  }
  if (world.environment.get("ACTIONS_ID_TOKEN_REQUEST_URL")) {
    return Federation{"GitHub's identity token", [world, audience = audience_of(application)] {
                        return github_token(world, audience);
                      }};
  }
  const auto url = world.environment.get("SYSTEM_OIDCREQUESTURI");
  const auto bearer = world.environment.get("SYSTEM_ACCESSTOKEN");
  if (url && bearer) {
    return Federation{"Azure DevOps' identity token", [world, url = *url, bearer = *bearer] {
                        return devops_token(world, url, bearer);
                      }};
  }
  return std::nullopt;
}

}  // namespace signctl::providers::azure
