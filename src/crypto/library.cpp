// SPDX-License-Identifier: Apache-2.0
#include "crypto/library.hpp"

#include "crypto/digest.hpp"

#include <openssl/crypto.h>

namespace signctl::crypto {

void start_library() {
  static const int kStarted = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  static_cast<void>(kStarted);
}

LibraryStart::LibraryStart()
    : thread_([] {
        start_library();
        static_cast<void>(hash(DigestAlg::sha256, {}));
        static_cast<void>(random_bytes(1));
      }) {}

LibraryStart::~LibraryStart() {
  thread_.join();
}

}  // namespace signctl::crypto
