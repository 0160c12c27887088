// SPDX-License-Identifier: Apache-2.0
#include "crypto/legacy.hpp"

#include <openssl/err.h>
#include <openssl/provider.h>

namespace signctl::crypto {

namespace {

using LibraryContext = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

}  // namespace

OSSL_LIB_CTX* legacy_context() {
  // Never freed: its providers would outlive it, and the library cleans up before static objects
  // do.
  static OSSL_LIB_CTX* const context = [] {
    LibraryContext made(OSSL_LIB_CTX_new());
    if (!made || OSSL_PROVIDER_load(made.get(), "legacy") == nullptr ||
        OSSL_PROVIDER_load(made.get(), "default") == nullptr) {
      made.reset();
    }
    ERR_clear_error();
    return made.release();
  }();
  return context;
}

bool needs_legacy_algorithm() {
  bool unsupported = false;
  while (const unsigned long code = ERR_get_error()) {
    unsupported = unsupported || ERR_GET_REASON(code) == ERR_R_UNSUPPORTED ||
                  ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_ALGORITHM;
  }
  return unsupported;
}

KeyHandle in_default_context(const EVP_PKEY* key) {
  const Pkcs8Info info(EVP_PKEY2PKCS8(key));
  return KeyHandle(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
}

}  // namespace signctl::crypto
