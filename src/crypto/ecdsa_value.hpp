// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

/// The two shapes of an ECDSA signature: Ecdsa-Sig-Value (RFC 3279, 2.2.3), and r and s one behind
/// the other, which XML signatures use (RFC 4050, 3.3; RFC 6931, 2.3.6).
namespace signctl::crypto {

/// `der` as r and s, each as long as the field of `key`'s curve.
///
/// @errors `input` when it is no Ecdsa-Sig-Value or its numbers are too large for the curve.
Result<Bytes> ecdsa_raw_from_der(ByteView der, const KeyFacts& key);

/// The inverse; empty when `raw` is not two numbers of the same size.
[[nodiscard]] Bytes ecdsa_der_from_raw(ByteView raw);

}  // namespace signctl::crypto
