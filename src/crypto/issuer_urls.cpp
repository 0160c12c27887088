// SPDX-License-Identifier: Apache-2.0
#include "crypto/issuer_urls.hpp"

#include "core/text.hpp"

#include <memory>

#include <openssl/x509v3.h>

namespace signctl::crypto {

std::vector<std::string> issuer_urls(const Certificate& certificate) {
  constexpr std::size_t kLongest = 2048;
  const auto free_access = [](AUTHORITY_INFO_ACCESS* access) {
    AUTHORITY_INFO_ACCESS_free(access);
  };
  const std::unique_ptr<AUTHORITY_INFO_ACCESS, decltype(free_access)> access(
      static_cast<AUTHORITY_INFO_ACCESS*>(
          X509_get_ext_d2i(certificate.x509(), NID_info_access, nullptr, nullptr)),
      free_access);
  std::vector<std::string> urls;
  for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
    const ACCESS_DESCRIPTION* one = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    if (OBJ_obj2nid(one->method) != NID_ad_ca_issuers || one->location->type != GEN_URI) {
      continue;
    }
    const ASN1_IA5STRING* uri = one->location->d.uniformResourceIdentifier;
    std::string url(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                    static_cast<std::size_t>(ASN1_STRING_length(uri)));
    const std::string lower = to_lower(url);
    const bool is_http = lower.starts_with("http://") || lower.starts_with("https://");
    // A line break would end the request's first line.
    const bool is_plain = url.find_first_of(std::string("\0\r\n\t ", 5)) == std::string::npos;
    if (is_http && is_plain && url.size() <= kLongest) {
      urls.push_back(std::move(url));
    }
  }
  return urls;
}

}  // namespace signctl::crypto
