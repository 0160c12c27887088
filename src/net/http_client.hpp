// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace signctl::net {

/// An HTTP client over libcurl. TLS 1.2 at least, certificates always checked, no redirects, http
/// and https only, proxies from the usual environment variables. One connection pool a thread. The
/// library is loaded at the first request. Borrows `environment`.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(const Environment& environment);

/// `url` without user information, query and fragment, for messages.
[[nodiscard]] std::string without_secrets(std::string_view url);

}  // namespace signctl::net
