// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/anchor_store.hpp"

#include <signctl/result.hpp>

#include <optional>

#include <curl/curl.h>

namespace signctl::net {

/// The functions of libcurl that are used, however they come into the process. The names keep those
/// of the library; the setters are variadic, as there.
struct CurlApi {
  decltype(&::curl_global_init) global_init{};
  decltype(&::curl_easy_init) easy_init{};
  decltype(&::curl_easy_cleanup) easy_cleanup{};
  decltype(&::curl_easy_reset) easy_reset{};
  decltype(&::curl_easy_setopt) easy_setopt{};
  decltype(&::curl_easy_perform) easy_perform{};
  decltype(&::curl_easy_recv) easy_recv{};
  decltype(&::curl_easy_getinfo) easy_getinfo{};
  decltype(&::curl_easy_strerror) easy_strerror{};
  decltype(&::curl_slist_append) slist_append{};
  decltype(&::curl_slist_free_all) slist_free_all{};
  /// What shares decoded anchors between connections.
  struct TlsStore {
    crypto::StoreFunctions functions;
    /// SSL_CTX_set1_cert_store; the first argument is the SSL_CTX.
    void (*set1_cert_store)(void* context, X509_STORE* store){};
  };
  /// Of the OpenSSL that libcurl works with; empty when it works with none that can be reached.
  std::optional<TlsStore> tls_store;
};

/// The library, loaded and initialised at the first call. Thread-safe.
///
/// @errors `unsupported` when it cannot be loaded.
Result<const CurlApi*> curl_api();

}  // namespace signctl::net
