// SPDX-License-Identifier: Apache-2.0
#include "crypto/rsa_key.hpp"

#include "core/wipe.hpp"
#include "crypto/der.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

namespace signctl::crypto {

namespace {

constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";

/// Fields of RSAPrivateKey behind the version, in their order (RFC 8017, A.1.2).
constexpr std::array kFields{OSSL_PKEY_PARAM_RSA_N,
                             OSSL_PKEY_PARAM_RSA_E,
                             OSSL_PKEY_PARAM_RSA_D,
                             OSSL_PKEY_PARAM_RSA_FACTOR1,
                             OSSL_PKEY_PARAM_RSA_FACTOR2,
                             OSSL_PKEY_PARAM_RSA_EXPONENT1,
                             OSSL_PKEY_PARAM_RSA_EXPONENT2,
                             OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

/// The largest modulus that OpenSSL works with, in bytes; no other number is larger.
constexpr std::size_t kLongest = 16384 / 8;

using Numbers = std::array<ByteView, kFields.size()>;

/// One number as OSSL_PARAM wants it, native-endian; wiped when it goes.
struct Number {
  std::array<std::uint8_t, kLongest> bytes;

  Number() = default;
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  ~Number() { wipe_memory(bytes.data(), bytes.size()); }
};

/// The RSAPrivateKey inside a PrivateKeyInfo, `der` itself if it is not inside one.
Result<ByteView> unwrap(ByteView der) {
  SIGNCTL_TRY(const auto outer, der::parse_whole(der, der::kSequence, "the key"), "");
  der::Parser parser(outer.content);
  SIGNCTL_TRY(const auto version, parser.small_integer("the version"), "");
  if (version != 0 || parser.peek() != der::kSequence) {
    return der;
  }
  SIGNCTL_TRY(const auto algorithm, der::read_algorithm(parser, "the algorithm"), "");
  if (algorithm.oid != kRsaEncryption) {
    return Error{ErrorKind::unsupported, "the key is not for RSA"};
  }
  SIGNCTL_TRY(const auto key, parser.expect(der::kOctetString, "the key"), "");
  return key.content;
}

Result<Numbers> read_numbers(ByteView der) {
  SIGNCTL_TRY(const auto key, der::parse_whole(der, der::kSequence, "the RSA key"), "");
  der::Parser parser(key.content);
  SIGNCTL_TRY(const auto version, parser.small_integer("the version"), "");
  if (version != 0) {
    return Error{ErrorKind::unsupported, "the RSA key has more than two primes"};
  }
  Numbers numbers;
  for (ByteView& number : numbers) {
    SIGNCTL_TRY(const auto integer, parser.expect(der::kInteger, "a number of the RSA key"), "");
    number = integer.content;
    if (number.empty() || (number.front() & 0x80U) != 0 || number.size() > kLongest) {
      return Error{ErrorKind::input, "a number of the RSA key is negative or too long"};
    }
  }
  SIGNCTL_CHECK(parser.end("the RSA key"), "");
  return numbers;
}

KeyHandle make_key(const Numbers& numbers) {
  std::array<Number, kFields.size()> native;
  std::array<OSSL_PARAM, kFields.size() + 1> parameters{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    std::uint8_t* const out = native.at(i).bytes.data();
    // OSSL_PARAM's integers are in the order of the processor.
    if constexpr (std::endian::native == std::endian::little) {
      std::ranges::reverse_copy(numbers.at(i), out);
    } else {
      std::ranges::copy(numbers.at(i), out);
    }
    parameters.at(i) = OSSL_PARAM_construct_BN(kFields.at(i), out, numbers.at(i).size());
  }
  parameters.back() = OSSL_PARAM_construct_end();
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return KeyHandle(key);
}

}  // namespace

KeyHandle read_plain_rsa(ByteView der) {
  const auto inner = unwrap(der);
  if (!inner) {
    return nullptr;
  }
  const auto numbers = read_numbers(*inner);
  return numbers ? make_key(*numbers) : nullptr;
}

}  // namespace signctl::crypto
