// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <string>

// What tests need to know of the Vault personality. Transit keys at "transit" are named as the
// kinds of Pki; and
// - stored: p256 with its chain kept in Vault;
// - rotated: version 1 is rsa2048's key, version 2 another;
// - retired: rotated with min_encryption_version 2; symmetric: aes256-gcm96.
// The namespace kNamespace holds the same keys.
namespace signctl::fake::hashicorp {

inline constexpr const char* kToken = "hvs.FakeRootLikeToken";
/// Good, but may only read keys.
inline constexpr const char* kReaderToken = "hvs.FakeReaderToken";
/// Expires in a week.
inline constexpr const char* kWeekToken = "hvs.FakeWeekToken";
inline constexpr const char* kRoleId = "fake-role-id";
inline constexpr const char* kSecretId = "fake-secret-id-0123";
/// Whose tokens are good for two requests.
inline constexpr const char* kFrugalRoleId = "fake-frugal-role-id";
/// A secret id of kRoleId that is good for one login.
inline constexpr const char* kSingleUseSecretId = "fake-single-use-secret-id-0123";
inline constexpr const char* kJwtRole = "codesign";
inline constexpr const char* kAudience = "https://vault.example";
inline constexpr const char* kNamespace = "admin/release";

/// An identity token that kJwtRole admits.
[[nodiscard]] std::string identity_token(Lab& lab, const std::string& audience = kAudience);

}  // namespace signctl::fake::hashicorp
