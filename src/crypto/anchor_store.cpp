// SPDX-License-Identifier: Apache-2.0
#include "crypto/anchor_store.hpp"

#include "crypto/library.hpp"

namespace signctl::crypto {

namespace {

/// Adds each certificate of the list. How many they were; -1 when one cannot be read.
int add_all(const StoreFunctions& openssl, X509_STORE* store, std::string_view pem) {
  BIO* const bio = openssl.bio_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  if (bio == nullptr) {
    return -1;
  }
  int added = 0;
  while (X509* const certificate = openssl.pem_read_bio_x509_aux(bio, nullptr, nullptr, nullptr)) {
    added += openssl.store_add_cert(store, certificate) == 1 ? 1 : 0;
    openssl.x509_free(certificate);
  }
  const bool at_end = ERR_GET_REASON(openssl.peek_last_error()) == PEM_R_NO_START_LINE;
  openssl.bio_free(bio);
  openssl.clear_error();
  return at_end ? added : -1;
}

}  // namespace

std::shared_ptr<X509_STORE> make_anchor_store(const StoreFunctions& functions,
                                              std::string_view pem,
                                              const std::string& folder_utf8) {
  start_library();
  std::shared_ptr<X509_STORE> store(functions.store_new(), functions.store_free);
  if (!store) {
    return nullptr;
  }
  const bool has_folder =
      !folder_utf8.empty() && functions.store_load_path(store.get(), folder_utf8.c_str()) == 1;
  const int added = add_all(functions, store.get(), pem);
  if (added < 0 || (added == 0 && !has_folder) ||
      functions.store_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
    return nullptr;
  }
  return store;
}

}  // namespace signctl::crypto
