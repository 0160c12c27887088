// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace signctl::crypto {

/// A private key held in memory: RSA or EC.
class PrivateKey {
 public:
  enum class Spec { rsa2048, rsa3072, rsa4096, p256, p384, p521 };

  static Result<PrivateKey> generate(Spec spec);
  /// Takes ownership of one reference.
  static PrivateKey adopt(evp_pkey_st* key);

  /// PKCS#1 v1.5 for RSA; DER Ecdsa-Sig-Value for EC. `digest` is raw, of `alg`'s size.
  Result<Bytes> sign_digest(ByteView digest, DigestAlg alg) const;
  /// RSASSA-PSS with MGF1 on the same hash and a salt of its size, as JWS's PS256 wants (RFC 7518,
  /// 3.5).
  ///
  /// @errors `unsupported` for EC keys.
  Result<Bytes> sign_digest_pss(ByteView digest, DigestAlg alg) const;
  [[nodiscard]] const KeyFacts& facts() const;
  [[nodiscard]] bool matches(const Certificate& certificate) const;
  [[nodiscard]] evp_pkey_st* pkey() const;  ///< Borrowed.

 private:
  struct Impl;
  explicit PrivateKey(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

/// "rsa3072", "p256" and so on.
[[nodiscard]] std::optional<PrivateKey::Spec> find_key_spec(std::string_view name);

/// A private key with its certificates.
struct KeyBundle {
  PrivateKey key;
  std::vector<Certificate> chain;  ///< Leaf first; may end with a root.
};

/// What a key file holds, in file order.
struct KeyPool {
  std::vector<PrivateKey> keys;
  std::vector<Certificate> certificates;
};

/// A private key and the certificate that was issued for it.
struct KeyPair {
  PrivateKey key;
  Certificate certificate;
};

/// Each different key among `keys` that has a certificate, with the first of its certificates.
[[nodiscard]] std::vector<KeyPair> find_pairs(const std::vector<PrivateKey>& keys,
                                              const std::vector<Certificate>& certificates);

/// Reads PKCS#12, the modern PBES2 kind and the legacy RC2/3DES kind (RFC 7292).
///
/// @errors `auth` for a wrong password; `input` for anything that is not PKCS#12 or holds no key;
///         `unsupported` when it needs the legacy provider and this OpenSSL has none.
Result<KeyPool> open_pkcs12(ByteView der, const Secret& password);

/// Like open_pkcs12, for a file with one identity: the first key that has a certificate.
///
/// @errors `input` as well when no key has one.
Result<KeyBundle> read_pkcs12(ByteView der, const Secret& password);

/// Writes PKCS#12 with PBES2 AES-256-CBC and a SHA-256 MAC.
Result<Bytes> write_pkcs12(const KeyBundle& bundle,
                           const Secret& password,
                           const std::string& name);

/// Reads every private key of a PEM text, or the one of a DER buffer: PKCS#8, encrypted PKCS#8,
/// PKCS#1, SEC 1.
///
/// @return  At least one, in file order.
/// @errors `auth` when one is encrypted and the password is wrong or missing; `unsupported` when
/// its
///         cipher is one that this OpenSSL does not have; `input` when there is none, one cannot be
///         read, or there are more than 100.
Result<std::vector<PrivateKey>> read_private_keys(ByteView pem_or_der, const Secret& password);

/// The first of read_private_keys().
Result<PrivateKey> read_private_key(ByteView pem_or_der, const Secret& password);

/// The key as unencrypted PKCS#8 PEM.
Result<Secret> to_pem(const PrivateKey& key);

/// `certificate`'s SubjectPublicKeyInfo, DER.
[[nodiscard]] Bytes public_key_of(const Certificate& certificate);

/// Whether `signature` over `digest` was made with the certificate's key. RSA is PKCS#1 v1.5 only;
/// ECDSA is DER. False for anything wrong; never an exception for hostile input.
[[nodiscard]] bool verify_digest(const Certificate& certificate,
                                 ByteView digest,
                                 DigestAlg alg,
                                 ByteView signature);

/// Like verify_digest for RSA signatures over the bare hash without a DigestInfo, as some old
/// Symantec counter-signatures are made. Only for the compat profile.
[[nodiscard]] bool verify_bare_rsa(const Certificate& certificate,
                                   ByteView digest,
                                   ByteView signature);

}  // namespace signctl::crypto
