// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace signctl::crypto {

/// Calls the OpenSSL release function `Free`; stateless, so a handle is one pointer wide.
template <auto Free>
struct Release {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

/// Sole owner of an OpenSSL object. To lend it, pass get(); to hand it to a "set0" or "add0" call,
/// pass get() and release() only after that call has reported success.
template <class T, auto Free>
using Handle = std::unique_ptr<T, Release<Free>>;

// Macros in OpenSSL 3 have no address, so give them one. Not lambdas: a lambda in a header is a
// different type in every translation unit.
inline void free_cert_stack(STACK_OF(X509)* stack) {
  sk_X509_pop_free(stack, X509_free);
}
inline void free_openssl_memory(void* memory) {
  OPENSSL_free(memory);
}

using BioHandle = Handle<BIO, BIO_free_all>;
using BignumHandle = Handle<BIGNUM, BN_free>;
using CertHandle = Handle<X509, X509_free>;
using CertStack = Handle<STACK_OF(X509), free_cert_stack>;
using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MemoryHandle = Handle<unsigned char, free_openssl_memory>;
using Pkcs12Handle = Handle<PKCS12, PKCS12_free>;
using Pkcs8Info = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

}  // namespace signctl::crypto
