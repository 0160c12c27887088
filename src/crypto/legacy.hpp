// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/handles.hpp"

#include <openssl/types.h>

namespace signctl::crypto {

/// A library context of its own in which RC2, DES and the like exist, made at the first old file
/// and kept for the life of the process. Null if this OpenSSL comes without the legacy provider.
[[nodiscard]] OSSL_LIB_CTX* legacy_context();

/// Whether the errors in OpenSSL's queue, which this empties, are about an algorithm that the
/// context does not have.
[[nodiscard]] bool needs_legacy_algorithm();

/// The key as the default context has it: the legacy one is for reading only. Null, with errors in
/// the queue, for a kind that is unknown there.
[[nodiscard]] KeyHandle in_default_context(const EVP_PKEY* key);

}  // namespace signctl::crypto
