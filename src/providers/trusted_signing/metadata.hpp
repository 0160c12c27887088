// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <string>

namespace signctl::providers::trusted_signing {

/// Which certificate profile signs.
struct Place {
  std::string endpoint;
  std::string account;
  std::string profile;
  std::string correlation_id;  ///< Goes with every request, for the customer's logs; may be empty.
};

/// The settings `endpoint`, `account` and `profile`, or what stands in their stead in `metadata`:
/// the metadata.json of Microsoft's client (Endpoint, CodeSigningAccountName,
/// CertificateProfileName, CorrelationId, ExcludeCredentials).
///
/// @errors `config` for what is missing, contradicts itself, is unknown or is not JSON; `input`
/// when
///         the file cannot be read.
Result<Place> place_of(const ProviderSettings& settings);

}  // namespace signctl::providers::trusted_signing
