// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/url.hpp"

#include <signctl/world.hpp>

#include <memory>

namespace signctl::net {

/// An HTTP client over libcurl. TLS 1.2 at least, certificates always checked, no redirects, http
/// and https only, proxies from the usual environment variables but for is_local_host(), anchors
/// from choose_tls_anchors(). One connection pool a thread and ca_file. The library is loaded at
/// the first request. Borrows `environment`.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(const Environment& environment);

}  // namespace signctl::net
