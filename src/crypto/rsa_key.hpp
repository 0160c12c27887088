// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/handles.hpp"

#include <signctl/bytes.hpp>

namespace signctl::crypto {

/// An RSA key from a PKCS #8 PrivateKeyInfo (RFC 5208, 5) or an RSAPrivateKey (RFC 8017, A.1.2),
/// both in DER and not encrypted.
///
/// OpenSSL 3.0 tries its decoders one after the other, which takes longer than many a file takes to
/// be signed; this hands it the numbers.
///
/// @return  Empty for anything else, whether another kind of key or no key at all: OpenSSL's own
///          reader is to say which.
[[nodiscard]] KeyHandle read_plain_rsa(ByteView der);

}  // namespace signctl::crypto
