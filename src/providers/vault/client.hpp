// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/renewing.hpp"
#include "providers/common/rest.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signctl::providers::vault {

/// A Vault token.
struct VaultToken {
  Secret text;
  std::optional<TimePoint> expires{};
  bool limited{false};  ///< Good for a number of requests only.
};

/// One way of getting tokens, chosen.
struct Login {
  std::string description;  ///< "AppRole", for people.
  Renewal renewal{Renewal::possible};
  Renewing<VaultToken>::Fetch fetch;
  bool uses_secret_id{false};  ///< Each login counts, where the secret id is good for a number.
};

/// Where Vault is, in whose namespace.
struct Place {
  Service service;
  std::string vault_namespace;
};

/// @errors `config` when there is no address or it is no URL.
Result<Place> find_place(const ProviderSettings& settings, World world);

/// The login that `auth` names or, for "auto", the first that there is something for.
///
/// @errors `config` for an unknown `auth` or one that lacks its settings.
Result<Login> choose_login(const ProviderSettings& settings, World world, const Place& place);

/// The headers that every request has, token aside.
void put_headers(HttpRequest& request, const std::string& vault_namespace);

/// Puts the token on requests.
class TokenAuthorizer final : public Authorizer {
 public:
  TokenAuthorizer(const Clock& clock, Login login, std::string vault_namespace)
      : uses_secret_id_(login.uses_secret_id),
        token_(clock, login.renewal, std::move(login.fetch)),
        namespace_(std::move(vault_namespace)) {}

  Result<void> authorize(HttpRequest& request) override;
  bool renew() override;

  Result<VaultToken> token() { return token_.get(); }
  [[nodiscard]] bool uses_secret_id() const { return uses_secret_id_; }

 private:
  const bool uses_secret_id_;
  Renewing<VaultToken> token_;
  std::string namespace_;
};

/// Vault's API, logged in. Safe to share between threads.
class VaultClient {
 public:
  VaultClient(World world, Place place, Login login);

  /// A call below /v1. A token that Vault no longer takes is replaced once.
  ///
  /// @errors `auth`, `config` or `provider` by what Vault says; `network` when it is sealed, busy
  ///         or away.
  Result<Reply> call(const Call& call) const;

  [[nodiscard]] TokenAuthorizer& authorizer() const { return *authorizer_; }

 private:
  std::shared_ptr<TokenAuthorizer> authorizer_;
  RestClient rest_;
};

/// What Vault says when it refuses.
[[nodiscard]] Error explain(const Reply& reply);

/// A path such as a mount's, percent-encoded between its slashes, with none at either end.
[[nodiscard]] std::string encode_path(std::string_view path);

}  // namespace signctl::providers::vault
