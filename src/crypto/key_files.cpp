// SPDX-License-Identifier: Apache-2.0
// Private keys in PEM and DER files.
#include "core/text.hpp"
#include "core/wipe.hpp"
#include "crypto/handles.hpp"
#include "crypto/keys.hpp"
#include "crypto/legacy.hpp"
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

using EncryptedKey = Handle<X509_SIG, X509_SIG_free>;

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
  const bool unknown_cipher = needs_legacy_algorithm();
  if (request.asked && unknown_cipher) {
    return {ErrorKind::unsupported,
            "the private key is encrypted with a cipher that this OpenSSL does not have",
            "encrypt it anew: openssl pkey -provider legacy -provider default -in OLD | openssl "
            "pkcs8 -topk8 -out NEW"};
  }
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

BioHandle open_memory(ByteView bytes) {
  return BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

/// Decrypts with what `context` has; null for the default one.
KeyHandle decrypt_in(OSSL_LIB_CTX* context, const X509_SIG* encrypted, std::string_view password) {
  const Pkcs8Info info(PKCS8_decrypt_ex(
      encrypted, password.data(), static_cast<int>(password.size()), context, nullptr));
  return KeyHandle(info ? EVP_PKCS82PKEY_ex(info.get(), context, nullptr) : nullptr);
}

/// EncryptedPrivateKeyInfo (RFC 5958, 3). Null, with the errors in OpenSSL's queue, when it is none
/// or cannot be decrypted.
KeyHandle read_encrypted(ByteView der, PasswordRequest& request) {
  ERR_clear_error();
  const EncryptedKey encrypted(d2i_PKCS8_bio(open_memory(der).get(), nullptr));
  if (!encrypted) {
    ERR_clear_error();
    return nullptr;
  }
  request.asked = true;
  KeyHandle key = decrypt_in(nullptr, encrypted.get(), request.password);
  if (key || !needs_legacy_algorithm()) {
    return key;
  }
  // DES and RC2 (PKCS #5 v1.5): what openssl pkcs8 wrote before 1.1.0.
  if (OSSL_LIB_CTX* context = legacy_context()) {
    const KeyHandle old = decrypt_in(context, encrypted.get(), request.password);
    return old ? in_default_context(old.get()) : nullptr;
  }
  ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM);
  return nullptr;
}

KeyHandle read_der(ByteView der, PasswordRequest& request) {
  if (KeyHandle plain = read_plain_rsa(der)) {
    return plain;
  }
  if (KeyHandle plain{d2i_PrivateKey_bio(open_memory(der).get(), nullptr)}) {
    return plain;
  }
  return read_encrypted(der, request);
}

KeyHandle read_block(const PemBlock& block, PasswordRequest& request) {
  // Headers (RFC 1421) say how what openssl calls traditional is encrypted.
  if (block.body.find(':') != std::string_view::npos) {
    ERR_clear_error();
    return KeyHandle(PEM_read_bio_PrivateKey(
        open_memory(as_bytes(block.full)).get(), nullptr, give_password, &request));
  }
  auto der = from_base64(block.body);
  if (!der) {
    return nullptr;
  }
  KeyHandle key = read_der(*der, request);
  wipe_memory(der->data(), der->size());
  return key;
}

bool is_private_key(const PemBlock& block) {
  return block.label.ends_with("PRIVATE KEY") && block.label != "OPENSSH PRIVATE KEY";
}

Result<PrivateKey> adopt(KeyHandle key, const PasswordRequest& request) {
  if (!key) {
    return unreadable_key(request);
  }
  ERR_clear_error();
  return PrivateKey::adopt(key.release());
}

}  // namespace

Result<std::vector<PrivateKey>> read_private_keys(ByteView pem_or_der, const Secret& password) {
  constexpr std::size_t kMostKeys = 100;
  start_library();
  PasswordRequest request{password.reveal()};
  std::vector<PrivateKey> keys;
  std::string_view text = as_text(pem_or_der);
  if (text.find("-----BEGIN ") == std::string_view::npos) {
    SIGNCTL_TRY(PrivateKey key, adopt(read_der(pem_or_der, request), request), "");
    keys.push_back(std::move(key));
    return keys;
  }
  for (PemBlock block = next_pem_block(text); !block.label.empty(); block = next_pem_block(text)) {
    if (!is_private_key(block)) {
      continue;
    }
    if (keys.size() == kMostKeys) {
      return Error{ErrorKind::input, "more than 100 private keys"};
    }
    request.asked = false;
    SIGNCTL_TRY(PrivateKey key, adopt(read_block(block, request), request), "");
    keys.push_back(std::move(key));
  }
  if (keys.empty()) {
    return unreadable_key(request);
  }
  return keys;
}

Result<PrivateKey> read_private_key(ByteView pem_or_der, const Secret& password) {
  SIGNCTL_TRY(auto keys, read_private_keys(pem_or_der, password), "");
  return std::move(keys.front());
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
