// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.hpp"

#include "core/assert.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/handles.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/library.hpp"
#include "crypto/openssl_error.hpp"
#include "crypto/proven_signatures.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

namespace signctl::crypto {

struct PrivateKey::Impl {
  KeyHandle key;
  KeyFacts facts;
};

namespace {

struct SpecRow {
  std::string_view name;
  PrivateKey::Spec spec;
  int rsa_bits;
  const char* curve;
};

constexpr std::array kSpecs{
    SpecRow{"rsa2048", PrivateKey::Spec::rsa2048, 2048, nullptr},
    SpecRow{"rsa3072", PrivateKey::Spec::rsa3072, 3072, nullptr},
    SpecRow{"rsa4096", PrivateKey::Spec::rsa4096, 4096, nullptr},
    SpecRow{"p256", PrivateKey::Spec::p256, 0, "P-256"},
    SpecRow{"p384", PrivateKey::Spec::p384, 0, "P-384"},
    SpecRow{"p521", PrivateKey::Spec::p521, 0, "P-521"},
};

const EVP_MD* message_digest(DigestAlg alg) {
  switch (alg) {
    case DigestAlg::md5:
      return EVP_md5();
    case DigestAlg::sha1:
      return EVP_sha1();
    case DigestAlg::sha256:
      return EVP_sha256();
    case DigestAlg::sha384:
      return EVP_sha384();
    case DigestAlg::sha512:
      return EVP_sha512();
  }
  return nullptr;
}

enum class RsaPadding { pkcs1, pss };

/// PKCS #1 v1.5 with a DigestInfo of `alg` for RSA; for EC only the size of the digest matters.
bool choose_scheme(EVP_PKEY_CTX* context, KeyType type, DigestAlg alg) {
  if (type == KeyType::rsa && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1) {
    return false;
  }
  return EVP_PKEY_CTX_set_signature_md(context, message_digest(alg)) == 1;
}

bool choose_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

Result<Bytes> sign_with(
    EVP_PKEY* key, KeyType type, RsaPadding padding, ByteView digest, DigestAlg alg) {
  if (digest.size() != digest_size(alg)) {
    return Error{ErrorKind::internal,
                 "the digest has " + std::to_string(digest.size()) +
                     " bytes, which is not the size of " + std::string(digest_name(alg))};
  }
  if (type == KeyType::other) {
    return Error{ErrorKind::unsupported,
                 "this kind of key cannot make Authenticode signatures",
                 "use RSA (2048 to 4096 bits) or ECDSA (P-256, P-384, P-521)"};
  }
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      !choose_scheme(context.get(), type, alg) ||
      (padding == RsaPadding::pss && !choose_pss(context.get())) ||
      EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) != 1) {
    return openssl_error(ErrorKind::provider, "cannot sign with this key");
  }
  Bytes signature(size);
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1) {
    return openssl_error(ErrorKind::provider, "cannot sign with this key");
  }
  signature.resize(size);
  return signature;
}

}  // namespace

PrivateKey::PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

PrivateKey PrivateKey::adopt(evp_pkey_st* key) {
  SIGNCTL_ASSERT(key != nullptr);
  auto impl = std::make_shared<Impl>();
  impl->key.reset(key);
  impl->facts = facts_of(key, nullptr);
  return PrivateKey(std::move(impl));
}

Result<PrivateKey> PrivateKey::generate(Spec spec) {
  start_library();
  for (const SpecRow& row : kSpecs) {
    if (row.spec != spec) {
      continue;
    }
    EVP_PKEY* key =
        row.curve == nullptr
            ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(row.rsa_bits))
            : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", row.curve);
    if (key == nullptr) {
      return openssl_error(ErrorKind::internal, "cannot generate a key");
    }
    return adopt(key);
  }
  return Error{ErrorKind::internal, "unknown key specification"};
}

Result<Bytes> PrivateKey::sign_digest(ByteView digest, DigestAlg alg) const {
  return sign_with(impl_->key.get(), impl_->facts.type, RsaPadding::pkcs1, digest, alg);
}

Result<Bytes> PrivateKey::sign_digest_pss(ByteView digest, DigestAlg alg) const {
  if (impl_->facts.type != KeyType::rsa) {
    return Error{ErrorKind::unsupported, "only RSA keys sign with PSS"};
  }
  return sign_with(impl_->key.get(), impl_->facts.type, RsaPadding::pss, digest, alg);
}

const KeyFacts& PrivateKey::facts() const {
  return impl_->facts;
}

bool PrivateKey::matches(const Certificate& certificate) const {
  const EVP_PKEY* other = X509_get0_pubkey(certificate.x509());
  const bool equal = other != nullptr && EVP_PKEY_eq(impl_->key.get(), other) == 1;
  ERR_clear_error();
  return equal;
}

evp_pkey_st* PrivateKey::pkey() const {
  return impl_->key.get();
}

std::vector<KeyPair> find_pairs(const std::vector<PrivateKey>& keys,
                                const std::vector<Certificate>& certificates) {
  std::vector<KeyPair> pairs;
  for (const PrivateKey& key : keys) {
    const auto of_key = [&key](const Certificate& one) { return key.matches(one); };
    const auto found = std::ranges::find_if(certificates, of_key);
    const bool is_known = std::ranges::any_of(
        pairs, [&of_key](const KeyPair& pair) { return of_key(pair.certificate); });
    if (found != certificates.end() && !is_known) {
      pairs.push_back({key, *found});
    }
  }
  return pairs;
}

std::optional<PrivateKey::Spec> find_key_spec(std::string_view name) {
  for (const SpecRow& row : kSpecs) {
    if (row.name == name) {
      return row.spec;
    }
  }
  return std::nullopt;
}

Bytes public_key_of(const Certificate& certificate) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.x509()), &der);
  SIGNCTL_ASSERT(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool verify_digest(const Certificate& certificate,
                   ByteView digest,
                   DigestAlg alg,
                   ByteView signature) {
  EVP_PKEY* key = X509_get0_pubkey(certificate.x509());
  if (key == nullptr || digest.size() != digest_size(alg) ||
      certificate.key().type == KeyType::other) {
    return false;
  }
  ProvenSignatures& proven = ProvenSignatures::of_process();
  const Bytes name = ProvenSignatures::name(certificate, digest, alg, signature);
  if (proven.has(name)) {
    return true;
  }
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  const bool good =
      context && EVP_PKEY_verify_init(context.get()) == 1 &&
      choose_scheme(context.get(), certificate.key().type, alg) &&
      EVP_PKEY_verify(
          context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
  ERR_clear_error();
  if (good) {
    proven.add(name);
  }
  return good;
}

bool verify_bare_rsa(const Certificate& certificate, ByteView digest, ByteView signature) {
  EVP_PKEY* key = X509_get0_pubkey(certificate.x509());
  if (key == nullptr || certificate.key().type != KeyType::rsa) {
    return false;
  }
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  // Without a signature digest OpenSSL compares the padded content itself.
  const bool good =
      context && EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
      EVP_PKEY_verify(
          context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace signctl::crypto
