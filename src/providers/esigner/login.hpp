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

namespace signctl::providers::esigner {

/// The secret of a setting; empty when it is not set.
[[nodiscard]] Secret secret_in(const ProviderSettings& settings, const std::string& key);

/// Where SSL.com is spoken to.
struct Place {
  std::string environment;  ///< "production" or "sandbox"
  Service api;
  Service login;
  std::string client_id;
};

/// @errors `config` for another environment, and for URLs that are none.
Result<Place> find_place(const ProviderSettings& settings);

/// An OAuth access token.
struct AccessToken {
  Secret text;
  std::optional<TimePoint> expires{};
};

/// Puts the token on requests; logs in with user name and password when there is none, and again
/// before it ends.
class LoginAuthorizer final : public Authorizer {
 public:
  LoginAuthorizer(const Clock& clock, Renewing<AccessToken>::Fetch fetch)
      : token_(clock, Renewal::possible, std::move(fetch)) {}

  Result<void> authorize(HttpRequest& request) override;
  bool renew() override { return token_.renew(); }

  Result<AccessToken> token() { return token_.get(); }

 private:
  Renewing<AccessToken> token_;
};

/// Makes no call.
///
/// @errors `config` when user name or password is missing.
Result<std::shared_ptr<LoginAuthorizer>> make_login(const ProviderSettings& settings,
                                                    World world,
                                                    const Place& place);

}  // namespace signctl::providers::esigner
