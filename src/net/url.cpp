// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace signctl::net {

namespace {

/// The parts of a URL up to the path (RFC 3986, 3).
struct Front {
  std::string_view scheme;     ///< With "://"; empty if there is none.
  std::string_view authority;  ///< Without user information.
  std::string_view path;
};

Front front_of(std::string_view url) {
  const std::size_t colon = url.find("://");
  Front front;
  front.scheme = url.substr(0, colon == std::string_view::npos ? 0 : colon + 3);
  const std::string_view rest = url.substr(front.scheme.size());
  front.authority = rest.substr(0, std::min(rest.find_first_of("/?#"), rest.size()));
  front.path = rest.substr(front.authority.size());
  front.path = front.path.substr(0, std::min(front.path.find_first_of("?#"), front.path.size()));
  const std::size_t at = front.authority.rfind('@');
  front.authority.remove_prefix(at == std::string_view::npos ? 0 : at + 1);
  return front;
}

/// Where ":port" begins; the size if there is none. Brackets keep an IPv6 address together.
std::size_t port_at(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t from = bracket == std::string_view::npos ? 0 : bracket;
  return std::min(authority.find(':', from), authority.size());
}

bool is_ipv4(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(host.begin(), host.end(), '.') == 3;
}

}  // namespace

std::string without_secrets(std::string_view url) {
  const Front front = front_of(url);
  const std::string_view port = front.authority.substr(port_at(front.authority));
  if (port.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    // "user:pass/word@host": a password whose special characters were not escaped.
    return printable(std::string(front.scheme)) + "(unreadable)";
  }
  return printable(std::string(front.scheme) + std::string(front.authority) +
                   std::string(front.path));
}

std::string host_of(std::string_view url) {
  const Front front = front_of(url);
  const std::string scheme = to_lower(front.scheme);
  if (scheme != "http://" && scheme != "https://") {
    return {};
  }
  std::string_view host = front.authority.substr(0, port_at(front.authority));
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  while (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  return to_lower(host);
}

bool is_local_host(std::string_view host) {
  // The last is the metadata service of EC2 over IPv6; those over IPv4 are link-local.
  constexpr std::array<std::string_view, 4> kNames{
      "localhost", "metadata.google.internal", "::1", "fd00:ec2::254"};
  if (std::find(kNames.begin(), kNames.end(), host) != kNames.end() ||
      host.ends_with(".localhost")) {
    return true;
  }
  return is_ipv4(host) ? host.starts_with("127.") || host.starts_with("169.254.")
                       : host.starts_with("fe80:");
}

}  // namespace signctl::net
