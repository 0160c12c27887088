// SPDX-License-Identifier: Apache-2.0
#include "crypto/anchor_store.hpp"

#include "crypto/handles.hpp"
#include "crypto/library.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

namespace signctl::crypto {

namespace {

void free_infos(STACK_OF(X509_INFO)* infos) {
  sk_X509_INFO_pop_free(infos, X509_INFO_free);
}
using Infos = Handle<STACK_OF(X509_INFO), free_infos>;

}  // namespace

std::shared_ptr<x509_store_st> make_anchor_store(std::string_view pem,
                                                 const std::string& folder_utf8) {
  start_library();
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Infos infos(PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr));
  std::shared_ptr<x509_store_st> store(X509_STORE_new(), X509_STORE_free);
  if (!store) {
    return nullptr;
  }
  int added = folder_utf8.empty() ? 0 : X509_STORE_load_path(store.get(), folder_utf8.c_str());
  for (int i = 0; infos && i < sk_X509_INFO_num(infos.get()); ++i) {
    X509* const certificate = sk_X509_INFO_value(infos.get(), i)->x509;
    if (certificate != nullptr && X509_STORE_add_cert(store.get(), certificate) == 1) {
      ++added;
    }
  }
  ERR_clear_error();
  if (added == 0 || X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
    return nullptr;
  }
  return store;
}

bool is_our_openssl(VersionFunction version) {
  // The text lies in the copy itself; functions of one copy may have several addresses.
  return version != nullptr && version(OPENSSL_VERSION) == OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace signctl::crypto
