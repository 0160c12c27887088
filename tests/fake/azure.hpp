// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <optional>
#include <string>

// What tests need to know of the Azure personalities: entra (logins, identity tokens of pipelines,
// managed identities), artifact-signing and key-vault. The last two take the tokens of the first.
namespace signctl::fake::azure {

inline constexpr const char* kTenant = "fake-tenant";
inline constexpr const char* kClient = "11111111-2222-3333-4444-555555555555";
inline constexpr const char* kClientSecret = "fake~client~secret.value";
/// Good, but has no role anywhere.
inline constexpr const char* kStrangerClient = "99999999-2222-3333-4444-555555555555";
inline constexpr const char* kObject = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
/// Whom the application's federated credential lets in.
inline constexpr const char* kSubject = "repo:contoso/studio:ref:refs/tags/v1";
inline constexpr const char* kRequestToken = "fake-actions-request-token";
inline constexpr const char* kSystemToken = "fake-system-access-token";
inline constexpr const char* kIdentityHeader = "fake-identity-header";
/// Azure Machine Learning's; kClient is its single user-assigned identity.
inline constexpr const char* kMsiSecret = "fake-msi-secret";
inline constexpr const char* kAccount = "contoso";
inline constexpr const char* kProfile = "public-trust";
inline constexpr const char* kDurableIdentity = "1.3.6.1.4.1.311.97.990309390.766961637";

/// The certificate that is registered on the application, with its key.
[[nodiscard]] const crypto::KeyBundle& registered(Lab& lab);

/// Whether a request carries a token of entra for `resource`; the claims, or empty.
[[nodiscard]] std::optional<Json> caller(const Request& request,
                                         Lab& lab,
                                         const std::string& resource);

}  // namespace signctl::fake::azure
