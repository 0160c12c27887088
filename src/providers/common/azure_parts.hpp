// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/azure_login.hpp"

#include <functional>

// The parts of azure_login.hpp's logins, one file each.
namespace signctl::providers::azure {

/// An application in a tenant, at a login service.
struct Application {
  Service service;  ///< Of the authority.
  std::string tenant;
  std::string client;
  std::string resource;

  [[nodiscard]] std::string token_path() const;
};

/// A JWT that stands for the application: a certificate's assertion, or a pipeline's identity.
using Assertion = std::function<Result<Secret>()>;

/// Asks Entra with `secret` (client_credentials).
Result<AccessToken> token_by_secret(World world,
                                    const Application& application,
                                    const Secret& secret);
/// Asks Entra with a new assertion for each attempt that Entra takes as its own.
Result<AccessToken> token_by_assertion(World world,
                                       const Application& application,
                                       const Assertion& assertion);

/// The assertions of a certificate file, and the certificate.
struct CertificateLogin {
  crypto::Certificate certificate;
  Assertion assertion;
};
/// @errors as reading the file.
Result<CertificateLogin> certificate_login(const ProviderSettings& settings,
                                           World world,
                                           const Application& application);

/// Where a pipeline's identity tokens come from; empty when there is nothing of the kind here.
struct Federation {
  std::string description;  ///< "GitHub's identity token"
  Assertion assertion;
};
[[nodiscard]] std::optional<Federation> find_federation(const ProviderSettings& settings,
                                                        World world,
                                                        const Application& application);

/// Whether something answers as a managed identity's endpoint. Asks the network for a second at
/// most, when no variable tells.
[[nodiscard]] bool has_managed_identity(World world);
Result<AccessToken> token_of_managed_identity(World world,
                                              const std::string& client,
                                              const std::string& resource);

/// `az account get-access-token`.
Result<AccessToken> token_of_cli(World world,
                                 const std::string& tenant,
                                 const std::string& resource);

/// access_token and expires_in or expires_on, as numbers or texts.
Result<AccessToken> token_in(const Reply& reply, const std::string& who);

}  // namespace signctl::providers::azure
