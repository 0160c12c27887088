// SPDX-License-Identifier: Apache-2.0
// Private keys in PEM and DER files.
#include "core/text.hpp"
#include "core/wipe.hpp"
#include "crypto/handles.hpp"
#include "crypto/keys.hpp"
#include "crypto/library.hpp"
#include "crypto/openssl_error.hpp"
#include "crypto/pem.hpp"
#include "crypto/rsa_key.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace signctl::crypto {

namespace {

/// What the password callback is handed, and what it tells back.
struct PasswordRequest {
  std::string_view password;
  bool asked{false};
};

int give_password(char* buffer, int size, int /*writing*/, void* argument) {
  auto& request = *static_cast<PasswordRequest*>(argument);
  request.asked = true;
  if (request.password.size() > static_cast<std::size_t>(size)) {
    return -1;
  }
  std::memcpy(buffer, request.password.data(), request.password.size());
  return static_cast<int>(request.password.size());
}

Error unreadable_key(const PasswordRequest& request) {
  ERR_clear_error();
  if (request.asked && request.password.empty()) {
    return {ErrorKind::auth,
            "the private key is encrypted and no password is given",
            "give one with password: env:NAME"};
  }
  if (request.asked) {
    return {ErrorKind::auth, "the password of the private key is wrong"};
  }
  return {ErrorKind::input,
          "no private key found",
          "expected PEM or DER: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC)"};
}

/// The key when it is the plainest there is: the first block of the file, RSA, not encrypted.
KeyHandle read_plain(ByteView pem_or_der) {
  std::string_view text = as_text(pem_or_der);
  const PemBlock block = next_pem_block(text);
  if (block.label.empty()) {
    return read_plain_rsa(pem_or_der);
  }
  if (block.label != "PRIVATE KEY" && block.label != "RSA PRIVATE KEY") {
    return nullptr;
  }
  auto der = from_base64(block.body);
  if (!der) {
    return nullptr;
  }
  KeyHandle key = read_plain_rsa(*der);
  wipe_memory(der->data(), der->size());
  return key;
}

}  // namespace

Result<PrivateKey> read_private_key(ByteView pem_or_der, const Secret& password) {
  start_library();
  if (KeyHandle plain = read_plain(pem_or_der)) {
    return PrivateKey::adopt(plain.release());
  }
  PasswordRequest request{password.reveal()};
  EVP_PKEY* key = nullptr;
  if (as_text(pem_or_der).find("-----BEGIN ") != std::string_view::npos) {
    const BioHandle bio(BIO_new_mem_buf(pem_or_der.data(), static_cast<int>(pem_or_der.size())));
    key = PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &request);
  } else {
    const BioHandle bio(BIO_new_mem_buf(pem_or_der.data(), static_cast<int>(pem_or_der.size())));
    key = d2i_PrivateKey_bio(bio.get(), nullptr);
    if (key == nullptr) {
      const BioHandle again(
          BIO_new_mem_buf(pem_or_der.data(), static_cast<int>(pem_or_der.size())));
      key = d2i_PKCS8PrivateKey_bio(again.get(), nullptr, give_password, &request);
    }
  }
  if (key == nullptr) {
    return unreadable_key(request);
  }
  ERR_clear_error();
  return PrivateKey::adopt(key);
}

Result<Secret> to_pem(const PrivateKey& key) {
  const BioHandle bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(
                  bio.get(), key.pkey(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error(ErrorKind::internal, "cannot write the private key");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string(data, static_cast<std::size_t>(size)));
}

}  // namespace signctl::crypto
