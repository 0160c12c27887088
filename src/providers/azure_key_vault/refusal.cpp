// SPDX-License-Identifier: Apache-2.0
#include "providers/azure_key_vault/refusal.hpp"

#include "core/text.hpp"

#include <array>

namespace signctl::providers::azure_key_vault {
namespace {

constexpr const char* kName = "Azure Key Vault";

std::string who(azure::BearerAuthorizer& login) {
  const auto token = login.token();
  const std::string principal = token ? azure::principal_of(token->text.reveal()) : "";
  return principal.empty() ? login.description() : principal;
}

/// The tenant of a vault, which its refusals name: WWW-Authenticate: Bearer
/// authorization="https://login.../TENANT", ...
std::string tenant_in(const Reply& reply) {
  const auto found = reply.headers.find("www-authenticate");
  constexpr std::string_view kField = "authorization=\"";
  const std::size_t at =
      found == reply.headers.end() ? std::string::npos : found->second.find(kField);
  if (at == std::string::npos) {
    return {};
  }
  const std::string url = found->second.substr(at + kField.size());
  const std::string whole = url.substr(0, url.find('"'));
  return whole.substr(whole.rfind('/') + 1);
}

/// Who may not is refused the permission; what may not is a key that is disabled or expired.
ErrorKind kind_of_403(const Reply& reply) {
  const std::string code = text_at(reply.json, {"error", "innererror", "code"});
  if (code == "ForbiddenByFirewall") {
    return ErrorKind::config;
  }
  const bool is_permission =
      code.empty() || code == "ForbiddenByPolicy" || code == "ForbiddenByRbac";
  return is_permission ? ErrorKind::auth : ErrorKind::provider;
}

std::string hint_for_403(const Reply& reply, azure::BearerAuthorizer& login) {
  const std::string code = text_at(reply.json, {"error", "innererror", "code"});
  if (code == "ForbiddenByFirewall") {
    return "the vault's firewall blocks this machine's address; allow it, or use a runner inside";
  }
  if (code == "ForbiddenByPolicy") {
    return "give " + who(login) + " the vault's access policy Certificates Get, Keys Get and Sign";
  }
  if (code == "ForbiddenByRbac") {
    return "assign " + who(login) +
           " the roles Key Vault Crypto User and Key Vault Certificate User on the vault (on a "
           "managed HSM: Managed HSM Crypto User on the key)";
  }
  return "check that the key is enabled, not expired and allowed to sign, and that " + who(login) +
         " may use it";
}

}  // namespace

Error explain(const Reply& reply, const std::string& vault, azure::BearerAuthorizer& login) {
  Error error = refusal_of(reply, kName, text_at(reply.json, {"error", "message"}));
  if (reply.status == 401) {
    const std::string tenant = tenant_in(reply);
    error.hint = tenant.empty()
                     ? "the token is not accepted; check tenant_id and authority"
                     : "the vault belongs to tenant " + printable(tenant) + "; log in there";
  } else if (reply.status == 403) {
    error.kind = kind_of_403(reply);
    error.hint = hint_for_403(reply, login);
  } else if (reply.status == 404) {
    error.kind = ErrorKind::config;
    error.hint = "check the name and the version in " + printable(vault) +
                 "; what was deleted stays invisible until it is recovered";
  } else if (reply.status == 400) {
    error.kind = ErrorKind::config;
  }
  return error;
}

std::string resource_of_vault(std::string_view url) {
  constexpr std::array<std::string_view, 2> kOthers{".vault.usgovcloudapi.net", ".vault.azure.cn"};
  for (const std::string_view suffix : kOthers) {
    if (url.find(suffix) != url.npos) {
      return "https://" + std::string(suffix.substr(1));
    }
  }
  return "https://vault.azure.net";
}

}  // namespace signctl::providers::azure_key_vault
