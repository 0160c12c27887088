// SPDX-License-Identifier: Apache-2.0
#include "crypto/public_numbers.hpp"

#include "crypto/digest.hpp"
#include "crypto/handles.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace signctl::crypto {

namespace {

Bytes number(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    ERR_clear_error();
    return {};
  }
  const BignumHandle value(raw);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value.get())));
  BN_bn2bin(value.get(), bytes.data());
  return bytes;
}

}  // namespace

Result<RsaPublicNumbers> rsa_public_numbers(const Certificate& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate.x509());
  RsaPublicNumbers numbers;
  if (key != nullptr && certificate.key().type == KeyType::rsa) {
    numbers = {number(key, OSSL_PKEY_PARAM_RSA_N), number(key, OSSL_PKEY_PARAM_RSA_E)};
  }
  if (numbers.modulus.empty() || numbers.exponent.empty()) {
    return Error{ErrorKind::unsupported,
                 "the key of certificate \"" + certificate.info().subject + "\" is not RSA"};
  }
  return numbers;
}

Bytes public_key_hash(const Certificate& certificate) {
  const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(certificate.x509());
  if (bits == nullptr) {
    return {};
  }
  return hash(DigestAlg::sha1,
              {ASN1_STRING_get0_data(bits), static_cast<std::size_t>(ASN1_STRING_length(bits))});
}

Bytes authority_key_id(const Certificate& certificate) {
  const ASN1_OCTET_STRING* id = X509_get0_authority_key_id(certificate.x509());
  if (id == nullptr) {
    return {};
  }
  const unsigned char* data = ASN1_STRING_get0_data(id);
  return {data, data + ASN1_STRING_length(id)};
}

}  // namespace signctl::crypto
