// SPDX-License-Identifier: Apache-2.0
// curl/typecheck-gcc.h turns the setters into macros that name the functions; here they are values.
#define CURL_DISABLE_TYPECHECK
#include "net/curl_api.hpp"

#ifdef SIGNCTL_LOAD_CURL_LATE
#include <dlfcn.h>
#endif

#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace signctl::net {

namespace {

#ifdef SIGNCTL_LOAD_CURL_LATE

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

/// What is found through libcurl is of the copy that libcurl itself is linked with.
std::optional<CurlApi::TlsStore> find_tls_store(void* library) {
  CurlApi::TlsStore store;
  crypto::StoreFunctions& openssl = store.functions;
  const bool all = find(library, "SSL_CTX_set1_cert_store", store.set1_cert_store) &&
                   find(library, "BIO_new_mem_buf", openssl.bio_new_mem_buf) &&
                   find(library, "BIO_free", openssl.bio_free) &&
                   find(library, "PEM_read_bio_X509_AUX", openssl.pem_read_bio_x509_aux) &&
                   find(library, "X509_free", openssl.x509_free) &&
                   find(library, "X509_STORE_new", openssl.store_new) &&
                   find(library, "X509_STORE_free", openssl.store_free) &&
                   find(library, "X509_STORE_add_cert", openssl.store_add_cert) &&
                   find(library, "X509_STORE_load_path", openssl.store_load_path) &&
                   find(library, "X509_STORE_set_flags", openssl.store_set_flags) &&
                   find(library, "ERR_peek_last_error", openssl.peek_last_error) &&
                   find(library, "ERR_clear_error", openssl.clear_error);
  return all ? std::optional(store) : std::nullopt;
}

Result<CurlApi> load() {
  // Never unloaded: it has registered things with OpenSSL that outlive any moment we could choose.
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    library = library == nullptr ? ::dlopen(name, RTLD_NOW | RTLD_LOCAL) : library;
  }
  CurlApi api;
  if (library == nullptr || !find(library, "curl_global_init", api.global_init) ||
      !find(library, "curl_easy_init", api.easy_init) ||
      !find(library, "curl_easy_cleanup", api.easy_cleanup) ||
      !find(library, "curl_easy_reset", api.easy_reset) ||
      !find(library, "curl_easy_setopt", api.easy_setopt) ||
      !find(library, "curl_easy_perform", api.easy_perform) ||
      !find(library, "curl_easy_recv", api.easy_recv) ||
      !find(library, "curl_easy_getinfo", api.easy_getinfo) ||
      !find(library, "curl_easy_strerror", api.easy_strerror) ||
      !find(library, "curl_slist_append", api.slist_append) ||
      !find(library, "curl_slist_free_all", api.slist_free_all)) {
    return Error{ErrorKind::unsupported,
                 "the HTTP library libcurl is not on this machine",
                 "install it (Debian: libcurl4), or use --timestamp-url dev: for a rehearsal"};
  }
  api.tls_store = find_tls_store(library);
  return api;
}

#else

Result<CurlApi> load() {
  return CurlApi{::curl_global_init,
                 ::curl_easy_init,
                 ::curl_easy_cleanup,
                 ::curl_easy_reset,
                 ::curl_easy_setopt,
                 ::curl_easy_perform,
                 ::curl_easy_recv,
                 ::curl_easy_getinfo,
                 ::curl_easy_strerror,
                 ::curl_slist_append,
                 ::curl_slist_free_all,
                 std::nullopt};
}

#endif

Result<CurlApi> load_and_initialise() {
  SIGNCTL_TRY(const CurlApi api, load(), "");
  if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error{ErrorKind::internal, "libcurl cannot be initialised"};
  }
  return api;
}

}  // namespace

Result<const CurlApi*> curl_api() {
  static const Result<CurlApi> api = load_and_initialise();
  if (!api) {
    return Error(api.error());
  }
  return &*api;
}

}  // namespace signctl::net
