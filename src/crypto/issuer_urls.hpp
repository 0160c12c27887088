// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <string>
#include <vector>

namespace signctl::crypto {

/// Where the certificate says that its issuer's is published: the http and https URIs of
/// id-ad-caIssuers in authorityInfoAccess (RFC 5280, 4.2.2.1), in the certificate's order.
/// Unchecked text from a certificate. Empty when it has none.
[[nodiscard]] std::vector<std::string> issuer_urls(const Certificate& certificate);

}  // namespace signctl::crypto
