// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/renewing.hpp"
#include "providers/common/rest.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>

namespace signctl::providers::google_kms {

/// An OAuth access token.
struct AccessToken {
  Secret text;
  std::optional<TimePoint> expires{};
};

/// One way of getting access tokens, chosen.
struct Login {
  std::string description;  ///< "the service account signer@...", for people.
  Renewal renewal{Renewal::possible};
  Renewing<AccessToken>::Fetch fetch;
};

/// The login that `auth` names or, for "auto", the first that there is something for: a token, a
/// credentials file, gcloud's own file, the metadata server.
///
/// @errors `config` for an unknown `auth`, and for a credentials file of a kind that cannot be
/// used;
///         `input` for one that cannot be read.
Result<Login> choose_login(const ProviderSettings& settings, World world);

/// The login of a credentials file: `service_account`, `external_account` or `authorized_user`.
Result<Login> file_login(const ProviderSettings& settings, World world, const std::string& path);

/// What every token service of Google answers, in either spelling of its fields.
Result<AccessToken> token_in(const Reply& reply, const std::string& who);

/// What a token service says when it refuses: `auth`, unless it is busy.
[[nodiscard]] Error explain_token(const Reply& reply,
                                  const std::string& who,
                                  const std::string& hint);

/// A URL in two: what service_url() checks, and the path with its query.
struct Place {
  std::string origin;
  std::string path;
};
[[nodiscard]] Place split_url(const std::string& url);

/// The service at a URL's origin. `key` names where the URL was found.
///
/// @errors `config` as service_url().
Result<Service> service_at(const ProviderSettings& settings,
                           const std::string& name,
                           const std::string& url,
                           const std::string& key);

}  // namespace signctl::providers::google_kms
