// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <string>

// What tests need to know of the Google personality. Below its base URL are Cloud KMS at "/v1",
// the token service at "/token", the token exchange at "/sts/v1/token", IAM credentials at
// "/iam/v1", a metadata server at "/metadata" and an identity provider at "/identity".
namespace signctl::fake::google {

/// Keys are kRing + "/cryptoKeys/" + KIND with KIND as in Pki (without p521, which Google has not),
/// each with one version; and
/// - rotated: version 1 of rsa2048, 2 is another key, 3 is disabled;
/// - raw: RSA_SIGN_RAW_PKCS1_2048; pss: RSA_SIGN_PSS_2048_SHA256; both with rsa2048's key;
/// - damaged: p256, every other signature arrives with a wrong checksum; ruined: all do;
/// - unverified: the checksum of the request is not confirmed; misnamed: another version answers.
inline constexpr const char* kRing = "projects/fake/locations/global/keyRings/ring";
inline constexpr const char* kEmail = "signer@fake.iam.gserviceaccount.com";
inline constexpr const char* kAudience =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/github";
inline constexpr const char* kIdentityBearer = "fake-identity-request-token";
inline constexpr const char* kRefreshToken = "1//fake-refresh-token";
inline constexpr const char* kClientSecret = "fake-client-secret";

/// The full name of a key.
[[nodiscard]] std::string key_name(const std::string& kind);
[[nodiscard]] std::string version_name(const std::string& kind, int version = 1);

/// An access token that is good for an hour. Readers may look at keys but not sign.
inline constexpr const char* kToken = "ya29.fake-access-token";
inline constexpr const char* kReaderToken = "ya29.fake-reader-token";

/// Credentials files for the personality at `base_url`.
[[nodiscard]] Json service_account_file(Lab& lab, const std::string& base_url);
[[nodiscard]] Json external_account_file(const std::string& base_url);
[[nodiscard]] Json authorized_user_file(const std::string& base_url);

/// An identity token that the pool admits.
[[nodiscard]] std::string identity_token(Lab& lab);

}  // namespace signctl::fake::google
