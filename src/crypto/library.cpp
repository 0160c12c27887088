// SPDX-License-Identifier: Apache-2.0
#include "crypto/library.hpp"

#include <openssl/crypto.h>

namespace signctl::crypto {

void start_library() {
  static const int kStarted = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  static_cast<void>(kStarted);
}

std::string library_version() {
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

}  // namespace signctl::crypto
