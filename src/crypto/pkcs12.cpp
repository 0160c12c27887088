// SPDX-License-Identifier: Apache-2.0
// PKCS #12 (RFC 7292), as Windows, OpenSSL and Java write it, old and new.
#include "crypto/handles.hpp"
#include "crypto/keys.hpp"
#include "crypto/legacy.hpp"
#include "crypto/library.hpp"
#include "crypto/openssl_error.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <openssl/err.h>

namespace signctl::crypto {

namespace {

constexpr int kIterations = 2048;

void free_bags(STACK_OF(PKCS12_SAFEBAG)* stack) {
  sk_PKCS12_SAFEBAG_pop_free(stack, PKCS12_SAFEBAG_free);
}
void free_safes(STACK_OF(PKCS7)* stack) {
  sk_PKCS7_pop_free(stack, PKCS7_free);
}

using BagStack = Handle<STACK_OF(PKCS12_SAFEBAG), free_bags>;
using SafeStack = Handle<STACK_OF(PKCS7), free_safes>;

/// A file being opened with one spelling of its password.
struct Opening {
  const char* password{};   ///< Null is another password than the empty one.
  OSSL_LIB_CTX* context{};  ///< Null for the default.
  std::vector<KeyHandle> keys{};
  std::vector<CertHandle> certificates{};

  [[nodiscard]] int password_size() const { return password == nullptr ? 0 : -1; }
};

/// Decodes within `context`, so that everything inside is looked up there; null for the default.
Pkcs12Handle decode(ByteView der, OSSL_LIB_CTX* context) {
  PKCS12* pkcs12 = PKCS12_init_ex(NID_pkcs7_data, context, nullptr);
  const unsigned char* at = der.data();
  if (pkcs12 == nullptr || d2i_PKCS12(&pkcs12, &at, static_cast<long>(der.size())) == nullptr) {
    return nullptr;
  }
  return Pkcs12Handle(pkcs12);
}

bool take_key(const PKCS8_PRIV_KEY_INFO* info, Opening& opening) {
  KeyHandle key(info == nullptr ? nullptr : EVP_PKCS82PKEY_ex(info, opening.context, nullptr));
  if (!key) {
    return false;
  }
  opening.keys.push_back(std::move(key));
  return true;
}

/// One bag, which may hold bags (RFC 7292, 4.2.6). Kinds that are of no use here are passed over.
bool take_bag(const PKCS12_SAFEBAG* bag, int depth, Opening& opening);

bool take_bags(const STACK_OF(PKCS12_SAFEBAG)* bags, int depth, Opening& opening) {
  constexpr int kMaxDepth = 8;
  bool good = bags != nullptr && depth < kMaxDepth;
  for (int i = 0; good && i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    good = take_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth, opening);
  }
  return good;
}

bool take_bag(const PKCS12_SAFEBAG* bag, int depth, Opening& opening) {
  switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
      return take_key(PKCS12_SAFEBAG_get0_p8inf(bag), opening);
    case NID_pkcs8ShroudedKeyBag: {
      const Pkcs8Info info(PKCS12_decrypt_skey_ex(
          bag, opening.password, opening.password_size(), opening.context, nullptr));
      return take_key(info.get(), opening);
    }
    case NID_certBag: {
      CertHandle certificate(PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate
                                 ? PKCS12_SAFEBAG_get1_cert(bag)
                                 : nullptr);
      if (certificate) {
        opening.certificates.push_back(std::move(certificate));
      }
      return true;
    }
    case NID_safeContentsBag:
      return take_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1, opening);
    default:
      return true;
  }
}

/// Takes the file apart. Not with PKCS12_parse: up to OpenSSL 3.0 that insists on a MAC, and looks
/// for the cipher of a key in the default context only.
bool open_with(PKCS12* pkcs12, Opening& opening) {
  const char* password = opening.password;
  const int size = opening.password_size();
  if (PKCS12_mac_present(pkcs12) == 1 && PKCS12_verify_mac(pkcs12, password, size) != 1) {
    return false;
  }
  const SafeStack safes(PKCS12_unpack_authsafes(pkcs12));
  bool good = safes != nullptr;
  for (int i = 0; good && i < sk_PKCS7_num(safes.get()); ++i) {
    PKCS7* safe = sk_PKCS7_value(safes.get(), i);
    const int type = OBJ_obj2nid(safe->type);
    if (type != NID_pkcs7_data && type != NID_pkcs7_encrypted) {
      continue;
    }
    const BagStack bags(type == NID_pkcs7_data ? PKCS12_unpack_p7data(safe)
                                               : PKCS12_unpack_p7encdata(safe, password, size));
    good = take_bags(bags.get(), 0, opening);
  }
  return good;
}

/// Whether any password opens the MAC: the two spellings of "none" are different passwords.
bool mac_fits(PKCS12* pkcs12, const Secret& password) {
  std::string text(password.reveal());
  const bool fits = PKCS12_verify_mac(pkcs12, text.c_str(), -1) == 1 ||
                    (text.empty() && PKCS12_verify_mac(pkcs12, nullptr, 0) == 1);
  OPENSSL_cleanse(text.data(), text.size());
  ERR_clear_error();
  return fits;
}

bool open_either_way(PKCS12* pkcs12, const Secret& password, Opening& opening) {
  std::string text(password.reveal());
  std::vector<const char*> spellings{text.c_str()};
  if (text.empty()) {
    spellings.push_back(nullptr);
  }
  bool opened = false;
  for (std::size_t i = 0; i < spellings.size() && !opened; ++i) {
    opening.password = spellings[i];
    opening.keys.clear();
    opening.certificates.clear();
    opened = open_with(pkcs12, opening);
  }
  opening.password = nullptr;
  OPENSSL_cleanse(text.data(), text.size());
  return opened;
}

Result<Certificate> certificate_of(const X509* x509) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509, &encoded);
  const MemoryHandle owner(encoded);
  if (size <= 0) {
    return openssl_error(ErrorKind::input, "the PKCS #12 file holds a broken certificate");
  }
  return Certificate::parse(ByteView(encoded, static_cast<std::size_t>(size)));
}

Result<KeyPool> to_pool(const Opening& opening) {
  if (opening.keys.empty()) {
    return Error{ErrorKind::input,
                 "the PKCS #12 file holds no private key",
                 "export it again with its private key"};
  }
  KeyPool pool;
  for (const CertHandle& one : opening.certificates) {
    SIGNCTL_TRY(auto certificate, certificate_of(one.get()), "");
    pool.certificates.push_back(std::move(certificate));
  }
  for (const KeyHandle& one : opening.keys) {
    KeyHandle key = in_default_context(one.get());
    if (!key) {
      return openssl_error(ErrorKind::unsupported,
                           "the PKCS #12 file holds a key of an unknown kind");
    }
    pool.keys.push_back(PrivateKey::adopt(key.release()));
  }
  return pool;
}

Error why_not(const Secret& password) {
  ERR_clear_error();
  if (password.empty()) {
    return {ErrorKind::auth,
            "the PKCS #12 file has a password and none is given",
            "give it with password: env:NAME (or -p password=env:NAME)"};
  }
  return {ErrorKind::auth, "the password of the PKCS #12 file is wrong"};
}

/// Without a MAC a wrong password and damage look the same; the first is far more common.
Error unopened(PKCS12* pkcs12, const Secret& password) {
  return PKCS12_mac_present(pkcs12) == 1 && mac_fits(pkcs12, password)
             ? Error{ErrorKind::input, "the PKCS #12 file is damaged"}
             : why_not(password);
}

}  // namespace

Result<KeyPool> open_pkcs12(ByteView der, const Secret& password) {
  start_library();
  ERR_clear_error();
  Pkcs12Handle modern = decode(der, nullptr);
  if (!modern) {
    return openssl_error(ErrorKind::input, "not a PKCS #12 file");
  }
  Opening opening;
  if (open_either_way(modern.get(), password, opening)) {
    ERR_clear_error();
    return to_pool(opening);
  }
  const bool legacy_wanted = needs_legacy_algorithm();
  if (!legacy_wanted) {
    return unopened(modern.get(), password);
  }
  // RC2-40 and friends: what Windows and old OpenSSL exported for two decades.
  OSSL_LIB_CTX* context = legacy_context();
  if (context == nullptr) {
    return Error{ErrorKind::unsupported,
                 "the PKCS #12 file is encrypted with RC2 or another old cipher, and this OpenSSL "
                 "comes without its legacy provider",
                 "install it, or convert the file: openssl pkcs12 -legacy -in OLD -nodes | openssl "
                 "pkcs12 -export -out NEW"};
  }
  const Pkcs12Handle old = decode(der, context);
  opening.context = context;
  if (!old || !open_either_way(old.get(), password, opening)) {
    return unopened(old ? old.get() : modern.get(), password);
  }
  ERR_clear_error();
  return to_pool(opening);
}

Result<KeyBundle> read_pkcs12(ByteView der, const Secret& password) {
  SIGNCTL_TRY(const KeyPool pool, open_pkcs12(der, password), "");
  const std::vector<KeyPair> pairs = find_pairs(pool.keys, pool.certificates);
  if (pairs.empty()) {
    return Error{ErrorKind::input,
                 "no certificate in the PKCS #12 file belongs to its private key",
                 "export it again with its certificate"};
  }
  return KeyBundle{pairs.front().key, order_chain(pairs.front().certificate, pool.certificates)};
}

Result<Bytes> write_pkcs12(const KeyBundle& bundle,
                           const Secret& password,
                           const std::string& name) {
  const CertStack others(sk_X509_new_null());
  for (std::size_t i = 1; i < bundle.chain.size(); ++i) {
    X509* x509 = bundle.chain[i].x509();
    if (X509_up_ref(x509) != 1 || sk_X509_push(others.get(), x509) == 0) {
      return openssl_error(ErrorKind::internal, "cannot write PKCS #12");
    }
  }
  const std::string text(password.reveal());
  // A MAC of its own, because PKCS12_create's is SHA-1 in some releases.
  const Pkcs12Handle pkcs12(PKCS12_create_ex(text.c_str(),
                                             name.c_str(),
                                             bundle.key.pkey(),
                                             bundle.chain.front().x509(),
                                             others.get(),
                                             NID_aes_256_cbc,
                                             NID_aes_256_cbc,
                                             kIterations,
                                             -1,
                                             0,
                                             nullptr,
                                             nullptr));
  if (!pkcs12 ||
      PKCS12_set_mac(pkcs12.get(), text.c_str(), -1, nullptr, 0, kIterations, EVP_sha256()) != 1) {
    return openssl_error(ErrorKind::internal, "cannot write PKCS #12");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_PKCS12(pkcs12.get(), &encoded);
  const MemoryHandle owner(encoded);
  if (size <= 0) {
    return openssl_error(ErrorKind::internal, "cannot write PKCS #12");
  }
  return Bytes(encoded, encoded + size);
}

}  // namespace signctl::crypto
