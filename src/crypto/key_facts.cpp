// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_facts.hpp"

#include "crypto/handles.hpp"

#include <array>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

namespace signctl::crypto {

namespace {

std::string curve_name(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(
          key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(), &size) != 1) {
    ERR_clear_error();
    return {};
  }
  const std::string text(name.data(), size);
  if (text == "prime256v1") {
    return "P-256";
  }
  if (text == "secp384r1") {
    return "P-384";
  }
  return text == "secp521r1" ? "P-521" : text;
}

/// Whether the parameters in the certificate are an OBJECT IDENTIFIER (RFC 5480, 2.1.1). OpenSSL
/// may recognise explicit parameters as a curve that it knows, so its own answer would not do.
bool is_curve_named(const X509* certificate) {
  X509_ALGOR* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(
          nullptr, nullptr, nullptr, &algorithm, X509_get_X509_PUBKEY(certificate)) != 1) {
    return false;
  }
  int type = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &type, nullptr, algorithm);
  return type == V_ASN1_OBJECT;
}

/// Whether an RSA key is of a size and with a public exponent that are in use: a signature under
/// the exponent 1 is the padded hash itself, and verifying takes as long as exponent and modulus
/// say (FIPS 186-5, 5.4: odd, at most 256 bits).
bool is_usual_rsa(const EVP_PKEY* key) {
  constexpr int kMostBits = 16384;
  constexpr int kMostExponentBits = 256;
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) {
    ERR_clear_error();
    return false;
  }
  const BignumHandle exponent(raw);
  return EVP_PKEY_get_bits(key) <= kMostBits && BN_is_odd(exponent.get()) == 1 &&
         BN_is_one(exponent.get()) == 0 && BN_num_bits(exponent.get()) <= kMostExponentBits;
}

}  // namespace

KeyFacts facts_of(const EVP_PKEY* key, const X509* certificate) {
  KeyFacts facts;
  if (key == nullptr) {
    return facts;
  }
  facts.bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    facts.type = is_usual_rsa(key) ? KeyType::rsa : KeyType::other;
  } else if (EVP_PKEY_is_a(key, "EC") == 1) {
    facts.type = KeyType::ec;
    facts.curve = curve_name(key);
    facts.named_curve = certificate == nullptr || is_curve_named(certificate);
  }
  return facts;
}

std::string describe(const KeyFacts& facts) {
  switch (facts.type) {
    case KeyType::rsa:
      return "RSA " + std::to_string(facts.bits);
    case KeyType::ec:
      return "EC " + (facts.curve.empty() ? std::to_string(facts.bits) + " bits" : facts.curve) +
             (facts.named_curve ? "" : " (explicit parameters)");
    case KeyType::other:
      break;
  }
  return "unknown key";
}

}  // namespace signctl::crypto
