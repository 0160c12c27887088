// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <map>
#include <optional>
#include <string>

namespace signctl::fake {

/// Whose access token a request carries.
struct GoogleCaller {
  TimePoint expires{};
  bool may_sign{true};
  bool federated{false};  ///< From the token exchange: good for taking on a service account alone.
};

/// Google's token services: assertions, refresh tokens, the token exchange, service accounts,
/// metadata.
class GoogleTokens {
 public:
  explicit GoogleTokens(Lab& lab);

  /// The answer to a request of a token service; empty when it is for another.
  std::optional<Response> handle(const Request& request);

  /// Empty when there is no token that is good.
  [[nodiscard]] std::optional<GoogleCaller> caller(const Request& request) const;

 private:
  Response token(const Request& request);
  Response by_assertion(const std::string& assertion, const std::string& audience);
  Response exchange(const Request& request);
  Response impersonate(const Request& request);
  Response metadata(const Request& request);
  Response identity(const Request& request) const;
  std::string issue(const GoogleCaller& rights);

  Lab& lab_;
  std::map<std::string, GoogleCaller> tokens_;
};

[[nodiscard]] Response google_error(int status,
                                    const std::string& name,
                                    const std::string& message);

}  // namespace signctl::fake
