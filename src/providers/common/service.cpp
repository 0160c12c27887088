// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "providers/common/rest.hpp"

#include <utility>

namespace signctl::providers {

namespace {

/// A URL's parts, as far as settings need them.
struct UrlParts {
  std::string scheme;
  std::string authority;
  std::string host;
};

std::optional<UrlParts> split(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return std::nullopt;
  }
  UrlParts parts;
  parts.scheme = to_lower(url.substr(0, scheme));
  const std::string_view rest = url.substr(scheme + 3);
  parts.authority = rest.substr(0, rest.find_first_of("/?#"));
  // A port follows the last colon, but for one inside an IPv6 address.
  const std::size_t bracket = parts.authority.rfind(']');
  const std::size_t colon = parts.authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  parts.host = to_lower(has_port ? parts.authority.substr(0, colon) : parts.authority);
  return parts;
}

bool is_dotted_number(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Addresses that no other machine listens in on (RFC 1122, 3.2.1.3; RFC 3927).
bool is_local(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host == "metadata.google.internal" ||
         (is_dotted_number(host) && (host.starts_with("127.") || host.starts_with("169.254.")));
}

Error bad_url(std::string_view key, const std::string& why) {
  return {ErrorKind::config,
          "\"" + std::string(key) + "\" " + why,
          "write it like https://host.example/"};
}

}  // namespace

Result<std::string> service_url(std::string_view url, std::string_view key) {
  const auto parts = split(url);
  if (!parts || parts->host.empty()) {
    return bad_url(key, "is not a URL");
  }
  if (parts->authority.find('@') != std::string::npos) {
    return bad_url(key, "has a user name or password in it");
  }
  if (url.find_first_of("?# \t\r\n") != std::string_view::npos) {
    return bad_url(key, "has a query, a fragment or blanks in it");
  }
  if (parts->scheme == "http" && !is_local(parts->host)) {
    return bad_url(key, "is plain http, over which no credential may go");
  }
  if (parts->scheme != "https" && parts->scheme != "http") {
    return bad_url(key, "is not an https URL");
  }
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  return std::string(url);
}

Result<Service> service_of(const ProviderSettings& settings,
                           std::string name,
                           std::string_view url,
                           std::string_view url_key) {
  Service service;
  service.name = std::move(name);
  SIGNCTL_TRY(service.base_url, service_url(url, url_key), "");
  service.ca_file = settings.get("ca_file");
  const std::string timeout = settings.get("timeout");
  if (timeout.empty()) {
    return service;
  }
  const auto duration = parse_duration(timeout);
  if (!duration || duration->count() <= 0) {
    return Error{
        ErrorKind::config, "\"timeout\" is not a duration", "write it like 30s, 500ms or 2m"};
  }
  service.timeout = *duration;
  return service;
}

}  // namespace signctl::providers
