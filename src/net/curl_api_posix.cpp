// SPDX-License-Identifier: Apache-2.0
// curl/typecheck-gcc.h turns the setters into macros that name the functions; here they are values.
#define CURL_DISABLE_TYPECHECK
#include "crypto/anchor_store.hpp"
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
  crypto::VersionFunction version = nullptr;
  if (find(library, "OpenSSL_version", version) && crypto::is_our_openssl(version)) {
    find(library, "SSL_CTX_set1_cert_store", api.set1_cert_store);
  }
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
                 nullptr};
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
