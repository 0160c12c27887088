// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include "core/assert.hpp"
#include "crypto/handles.hpp"
#include "crypto/library.hpp"

#include <array>
#include <utility>

#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace signctl::crypto {

namespace {

// Fetching by name takes a lock and a look-up each time; once a process is enough. Never freed: the
// library's own clean-up at exit takes care of them.
const EVP_MD* algorithm(DigestAlg alg) {
  static const std::array<EVP_MD*, 5> algorithms = [] {
    start_library();
    return std::array<EVP_MD*, 5>{EVP_MD_fetch(nullptr, "MD5", nullptr),
                                  EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                  EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                  EVP_MD_fetch(nullptr, "SHA384", nullptr),
                                  EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  }();
  const EVP_MD* found = algorithms.at(static_cast<std::size_t>(alg));
  SIGNCTL_ASSERT(found != nullptr);
  return found;
}

}  // namespace

struct Hasher::Impl {
  DigestContext context{EVP_MD_CTX_new()};
};

Hasher::Hasher(DigestAlg alg) : impl_(std::make_unique<Impl>()) {
  SIGNCTL_ASSERT(EVP_DigestInit_ex2(impl_->context.get(), algorithm(alg), nullptr) == 1);
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteView bytes) {
  SIGNCTL_ASSERT(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}

Bytes Hasher::finish() {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  SIGNCTL_ASSERT(EVP_DigestFinal_ex(impl_->context.get(), out.data(), &size) == 1);
  out.resize(size);
  return out;
}

Bytes hash(DigestAlg alg, ByteView bytes) {
  Hasher hasher(alg);
  hasher.update(bytes);
  return hasher.finish();
}

Bytes hmac(DigestAlg alg, ByteView key, ByteView message) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  // A null pointer would mean "the key of last time", which there is none of.
  constexpr std::uint8_t kNothing = 0;
  SIGNCTL_ASSERT(HMAC(algorithm(alg),
                      key.empty() ? &kNothing : key.data(),
                      static_cast<int>(key.size()),
                      message.data(),
                      message.size(),
                      out.data(),
                      &size) != nullptr);
  out.resize(size);
  return out;
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  SIGNCTL_ASSERT(RAND_bytes(out.data(), static_cast<int>(count)) == 1);
  return out;
}

}  // namespace signctl::crypto
