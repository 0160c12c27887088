// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/renewing.hpp"
#include "providers/common/rest.hpp"
#include "providers/google_kms/token.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>

namespace signctl::providers::google_kms {

/// Puts the access token on requests.
class TokenAuthorizer final : public Authorizer {
 public:
  TokenAuthorizer(const Clock& clock, Login login)
      : token_(clock, login.renewal, std::move(login.fetch)) {}

  Result<void> authorize(HttpRequest& request) override;
  bool renew() override { return token_.renew(); }

  Result<AccessToken> token() { return token_.get(); }

 private:
  Renewing<AccessToken> token_;
};

/// The name of a key and, where it is given, of the version.
struct KeyName {
  std::string key;      ///< "projects/.../cryptoKeys/NAME"
  std::string version;  ///< "projects/.../cryptoKeyVersions/3"; empty for the one that fits.
};

/// @errors `config` for what is not the full name of a key or a version.
Result<KeyName> parse_key_name(const std::string& text);

/// The Cloud KMS API with the key that the settings name.
struct KmsClient {
  KeyName name;
  std::shared_ptr<TokenAuthorizer> authorizer;
  RestClient rest;
};

/// The client that the settings describe; makes no call.
///
/// @errors as choose_login() and parse_key_name().
Result<KmsClient> make_client(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::google_kms
