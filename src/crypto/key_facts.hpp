// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace signctl::crypto {

/// Facts about a key. `certificate`, when given, is asked whether the curve is named in its
/// SubjectPublicKeyInfo. A null key gives KeyType::other.
[[nodiscard]] KeyFacts facts_of(const EVP_PKEY* key, const X509* certificate);

/// "RSA 3072", "EC P-256".
[[nodiscard]] std::string describe(const KeyFacts& facts);

}  // namespace signctl::crypto
