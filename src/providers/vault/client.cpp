// SPDX-License-Identifier: Apache-2.0
#include "providers/vault/client.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace signctl::providers::vault {
namespace {

/// The texts of "errors", which may be an empty list.
std::string errors_of(const Reply& reply) {
  std::string text;
  const auto errors = reply.json.is_object() ? reply.json.find("errors") : reply.json.end();
  if (!reply.json.is_object() || errors == reply.json.end() || !errors->is_array()) {
    return text;
  }
  for (const Json& error : *errors) {
    if (error.is_string()) {
      text += (text.empty() ? "" : "; ") + error.get<std::string>();
    }
  }
  // Several are listed over several lines with stars before them.
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\t', ' ');
  return printable(text);
}

bool is_transient_status(int status) {
  // 412: a replica that is behind; 472 and 473: standbys that answer health checks alone.
  constexpr std::array<int, 3> kTransient{412, 472, 473};
  return std::ranges::find(kTransient, status) != kTransient.end();
}

}  // namespace

Error explain(const Reply& reply) {
  const std::string said = errors_of(reply);
  Error error = refusal_of(reply, "Vault", said);
  if (is_transient_status(reply.status)) {
    error.kind = ErrorKind::network;
  }
  switch (reply.status) {
    case 400:
      error.kind = ErrorKind::config;
      error.hint = "check key, mount and key_version";
      break;
    case 403:
      error.kind = ErrorKind::auth;
      error.hint =
          "the token has expired, is used up, or its policy lacks read on MOUNT/keys/KEY and "
          "update "
          "on MOUNT/sign/KEY; check namespace too";
      break;
    case 404:
      error.kind = ErrorKind::config;
      error.hint = "check mount, key and namespace";
      break;
    case 503:
      if (to_lower(said).find("sealed") != said.npos) {
        error.message = "Vault is sealed (503)";
        error.hint = "have it unsealed, then run this again";
      }
      break;
    default:
      break;
  }
  return error;
}

std::string encode_path(std::string_view path) {
  std::string encoded;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    if (!segment.empty()) {
      encoded += (encoded.empty() ? "" : "/") + percent_encode(segment);
    }
  }
  return encoded;
}

void put_headers(HttpRequest& request, const std::string& vault_namespace) {
  // Agents may be set up to refuse requests without it: browsers cannot be tricked into sending it.
  request.headers["X-Vault-Request"] = "true";
  if (!vault_namespace.empty()) {
    request.headers["X-Vault-Namespace"] = vault_namespace;
  }
}

Result<void> TokenAuthorizer::authorize(HttpRequest& request) {
  SIGNCTL_TRY(const VaultToken token, token_.get(), "logging in to Vault");
  put_headers(request, namespace_);
  request.headers["X-Vault-Token"] = std::string(token.text.reveal());
  return ok();
}

bool TokenAuthorizer::renew() {
  // One that was just had is refused for its policy, and another login may be the last that a
  // secret id is good for.
  constexpr std::chrono::seconds kNew{60};
  return token_.renew_if([&](const VaultToken& token, std::chrono::seconds age) {
    return token.limited || age >= kNew;
  });
}

VaultClient::VaultClient(World world, Place place, Login login)
    : authorizer_(std::make_shared<TokenAuthorizer>(
          world.clock, std::move(login), std::move(place.vault_namespace))),
      rest_(world, std::move(place.service), authorizer_, explain) {}

Result<Reply> VaultClient::call(const Call& call) const {
  auto reply = rest_.send(call);
  // Vault says 403 to a token that has ended and to one that may not: one new login tells.
  if (!reply && reply.error().kind == ErrorKind::auth && authorizer_->renew()) {
    return rest_.send(call);
  }
  return reply;
}

}  // namespace signctl::providers::vault
