// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <string>

// What tests need to know of the AWS personality. Keys are "alias/KIND" with KIND as in Pki, and
// alias/disabled (switched off), alias/encryption (for encrypting). Below its base URL are KMS at
// "/", STS at "/sts", an ECS agent at "/container", IMDSv2 at "/imds", GitHub's tokens at
// "/github".
namespace signctl::fake::aws {

inline constexpr const char* kRegion = "eu-central-1";
inline constexpr const char* kAccessKey = "AKIAFAKEFAKEFAKEFAKE";
inline constexpr const char* kSecretKey = "FakeSecretAccessKey/0123456789+abcdefgh";
/// Good credentials that may look at keys but not sign.
inline constexpr const char* kReaderAccessKey = "AKIAREADREADREADREAD";
inline constexpr const char* kReaderSecretKey = "FakeReaderAccessKey/0123456789+abcdefgh";
inline constexpr const char* kRole = "arn:aws:iam::111122223333:role/codesign";
inline constexpr const char* kSubject = "repo:contoso/studio:ref:refs/tags/v1";
inline constexpr const char* kContainerToken = "Basic RmFrZUNvbnRhaW5lclRva2Vu";

inline constexpr const char* kGithubBearer = "fake-github-request-token";

/// An identity token, as a pipeline's provider would make it.
[[nodiscard]] std::string identity_token(Lab& lab,
                                         const std::string& audience = "sts.amazonaws.com",
                                         const std::string& subject = kSubject);

}  // namespace signctl::fake::aws
