// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/curl_api.hpp"

#include <signctl/error.hpp>
#include <signctl/world.hpp>

#include <string_view>

// What a person can make of a failed transfer.
namespace signctl::net {

/// Whether the server ended the handshake because of our certificate or for want of one. With TLS
/// 1.3 that is seen only when the answer is read.
[[nodiscard]] bool is_about_our_certificate(CURLcode code, std::string_view detail);

/// Whether the other side threw the connection away while it was written to, or read from.
[[nodiscard]] bool was_reset(CURLcode code, std::string_view detail);

/// @param detail  libcurl's own words (CURLOPT_ERRORBUFFER); may be empty.
/// @return        Of kind `network` what may pass. May ask the system's resolver once more, to tell
///                a name that does not exist from a resolver that has no answer.
[[nodiscard]] Error transfer_error(const CurlApi& api,
                                   CURLcode code,
                                   const HttpRequest& request,
                                   std::string_view detail);

}  // namespace signctl::net
