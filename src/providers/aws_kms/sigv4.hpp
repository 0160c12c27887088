// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::aws_kms {

/// What AWS hands out for signing requests.
struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  ///< Empty for long-lived keys.
  std::optional<TimePoint> expires{};
};

/// What a signature of a request holds for.
struct SigningScope {
  std::string region;
  std::string service;  ///< "kms", "sts"
};

/// The text that is hashed for the signature; `request` has its x-amz-date already.
[[nodiscard]] std::string canonical_request(const HttpRequest& request);

/// Puts X-Amz-Date, X-Amz-Security-Token and Authorization on a request (AWS Signature Version 4).
/// All headers are signed but those that proxies change.
void sign_request(HttpRequest& request,
                  const AwsCredentials& credentials,
                  const SigningScope& scope,
                  TimePoint now);

/// AWS's text about a signature without the request that it repeats there: session tokens are among
/// the signed headers.
[[nodiscard]] std::string without_request(std::string_view message);

}  // namespace signctl::providers::aws_kms
