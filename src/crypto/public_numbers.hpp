// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

/// What XML signatures write down of a public key.
namespace signctl::crypto {

/// An RSA public key, big-endian without leading zeros.
struct RsaPublicNumbers {
  Bytes modulus;
  Bytes exponent;
};

/// @errors `unsupported` when the certificate's key is not RSA.
Result<RsaPublicNumbers> rsa_public_numbers(const Certificate& certificate);

/// SHA-1 of the subjectPublicKey bits (RFC 5280, 4.2.1.2, method 1).
[[nodiscard]] Bytes public_key_hash(const Certificate& certificate);

/// keyIdentifier of authorityKeyIdentifier; empty if absent.
[[nodiscard]] Bytes authority_key_id(const Certificate& certificate);

}  // namespace signctl::crypto
