// SPDX-License-Identifier: Apache-2.0
// PKCS #12 (RFC 7292), as Windows, OpenSSL and Java write it, old and new.
#include "crypto/handles.hpp"
#include "crypto/keys.hpp"
#include "crypto/library.hpp"
#include "crypto/openssl_error.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/err.h>
#include <openssl/provider.h>

namespace signctl::crypto {

namespace {

using LibraryContext = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using KeyInfo = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

constexpr int kIterations = 2048;

/// A library context of its own in which RC2 and the like exist, made at the first old file and
/// kept for the life of the process. Null if this OpenSSL comes without the legacy provider.
OSSL_LIB_CTX* legacy_context() {
  static const LibraryContext kContext = [] {
    LibraryContext made(OSSL_LIB_CTX_new());
    if (!made || OSSL_PROVIDER_load(made.get(), "legacy") == nullptr ||
        OSSL_PROVIDER_load(made.get(), "default") == nullptr) {
      made.reset();
    }
    ERR_clear_error();
    return made;
  }();
  return kContext.get();
}

struct Contents {
  KeyHandle key;
  CertHandle leaf;
  CertStack others;
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

bool open_with(PKCS12* pkcs12, const char* password, Contents& contents) {
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  const bool opened = PKCS12_parse(pkcs12, password, &key, &leaf, &others) == 1;
  contents.key.reset(key);
  contents.leaf.reset(leaf);
  contents.others.reset(others);
  return opened;
}

/// Whether any password opens the MAC: the two spellings of "none" are different passwords.
bool mac_fits(PKCS12* pkcs12, const Secret& password) {
  if (PKCS12_mac_present(pkcs12) == 0) {
    return true;
  }
  const std::string text(password.reveal());
  const bool fits = PKCS12_verify_mac(pkcs12, text.c_str(), -1) == 1 ||
                    (text.empty() && PKCS12_verify_mac(pkcs12, nullptr, 0) == 1);
  ERR_clear_error();
  return fits;
}

bool open_either_way(PKCS12* pkcs12, const Secret& password, Contents& contents) {
  std::string text(password.reveal());
  const bool opened = open_with(pkcs12, text.c_str(), contents) ||
                      (text.empty() && open_with(pkcs12, nullptr, contents));
  OPENSSL_cleanse(text.data(), text.size());
  return opened;
}

bool needs_legacy_algorithm() {
  const unsigned long code = ERR_peek_last_error();
  bool unsupported = false;
  for (unsigned long one = code; one != 0; one = ERR_get_error()) {
    unsupported = unsupported || ERR_GET_REASON(one) == ERR_R_UNSUPPORTED ||
                  ERR_GET_REASON(one) == EVP_R_UNSUPPORTED_ALGORITHM;
  }
  return unsupported;
}

/// The key as the default context has it: the legacy one is for reading only.
Result<PrivateKey> in_default_context(EVP_PKEY* key) {
  const KeyInfo info(EVP_PKEY2PKCS8(key));
  EVP_PKEY* moved = info ? EVP_PKCS82PKEY(info.get()) : nullptr;
  if (moved == nullptr) {
    return openssl_error(ErrorKind::unsupported,
                         "the PKCS #12 file holds a key of an unknown kind");
  }
  return PrivateKey::adopt(moved);
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

Result<KeyBundle> to_bundle(const Contents& contents) {
  if (!contents.key) {
    return Error{ErrorKind::input,
                 "the PKCS #12 file holds no private key",
                 "export it again with its private key"};
  }
  SIGNCTL_TRY(PrivateKey key, in_default_context(contents.key.get()), "");
  std::vector<Certificate> pool;
  if (contents.leaf) {
    SIGNCTL_TRY(auto leaf, certificate_of(contents.leaf.get()), "");
    pool.push_back(std::move(leaf));
  }
  for (int i = 0; contents.others && i < sk_X509_num(contents.others.get()); ++i) {
    SIGNCTL_TRY(auto other, certificate_of(sk_X509_value(contents.others.get(), i)), "");
    pool.push_back(std::move(other));
  }
  const auto leaf = std::find_if(
      pool.begin(), pool.end(), [&](const Certificate& one) { return key.matches(one); });
  if (leaf == pool.end()) {
    return Error{ErrorKind::input,
                 "no certificate in the PKCS #12 file belongs to its private key",
                 "export it again with its certificate"};
  }
  std::vector<Certificate> chain = order_chain(*leaf, pool);
  return KeyBundle{std::move(key), std::move(chain)};
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

}  // namespace

Result<KeyBundle> read_pkcs12(ByteView der, const Secret& password) {
  start_library();
  ERR_clear_error();
  Pkcs12Handle modern = decode(der, nullptr);
  if (!modern) {
    return openssl_error(ErrorKind::input, "not a PKCS #12 file");
  }
  Contents contents;
  if (open_either_way(modern.get(), password, contents)) {
    ERR_clear_error();
    return to_bundle(contents);
  }
  const bool legacy_wanted = needs_legacy_algorithm();
  if (!legacy_wanted) {
    return mac_fits(modern.get(), password)
               ? Error{ErrorKind::input, "the PKCS #12 file is damaged"}
               : why_not(password);
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
  if (!old || !open_either_way(old.get(), password, contents)) {
    return old && mac_fits(old.get(), password)
               ? Error{ErrorKind::input, "the PKCS #12 file is damaged"}
               : why_not(password);
  }
  ERR_clear_error();
  return to_bundle(contents);
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
