// SPDX-License-Identifier: Apache-2.0
#define CURL_DISABLE_TYPECHECK
#include "net/curl_api.hpp"

#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace signctl::net {

Result<const CurlApi*> curl_api() {
  static const CurlApi api{::curl_global_init,
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
  static const CURLcode ready = api.global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) {
    return Error{ErrorKind::internal, "libcurl cannot be initialised"};
  }
  return &api;
}

}  // namespace signctl::net
