// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include "support/catch.hpp"

#include <map>

namespace signctl::net {

TEST_CASE("url: what may be secret is not shown", "[net]") {
  const std::map<std::string, std::string> shown{
      {"https://a.example/path/x", "https://a.example/path/x"},
      {"https://user:pw@a.example:8443/path?sig=pw#pw", "https://a.example:8443/path"},
      {"https://a.example?token=pw", "https://a.example"},
      {"https://pw@[::1]:80/x", "https://[::1]:80/x"},
      {"user:pw@a.example/x", "a.example/x"},
      {"https://user:p/pw@a.example/", "https://(unreadable)"},
      {"https://user:p?pw@a.example/", "https://(unreadable)"},
      {"https://user:p#pw@a.example/", "https://(unreadable)"},
      {"https://a.example/\x1b[31m", "https://a.example/\\x1b[31m"},
      {"", ""},
      {"://", "://"},
  };
  for (const auto& [url, text] : shown) {
    INFO(url);
    CHECK(without_secrets(url) == text);
  }
}

TEST_CASE("url: the host is found in every form", "[net]") {
  const std::map<std::string, std::string> hosts{
      {"http://LOCALHOST/", "localhost"},
      {"HTTPS://a.example.:443/x", "a.example"},
      {"http://u:p@127.0.0.1:1?x", "127.0.0.1"},
      {"https://[FE80::1]:2", "fe80::1"},
      {"ftp://a.example/", ""},
      {"file:///etc/passwd", ""},
      {"a.example", ""},
      {"http://", ""},
  };
  for (const auto& [url, host] : hosts) {
    INFO(url);
    CHECK(host_of(url) == host);
  }
}

TEST_CASE("url: only this machine and metadata services are local", "[net]") {
  for (const char* host : {"127.0.0.1",
                           "127.9.9.9",
                           "localhost",
                           "a.localhost",
                           "::1",
                           "169.254.169.254",
                           "169.254.170.2",
                           "fe80::1",
                           "fd00:ec2::254",
                           "metadata.google.internal"}) {
    INFO(host);
    CHECK(is_local_host(host));
  }
  for (const char* host : {"",
                           "a.example",
                           "127.0.0.1.evil.example",
                           "127.evil",
                           "128.0.0.1",
                           "169.255.0.1",
                           "localhost.evil.example",
                           "notlocalhost",
                           "::2",
                           "x.metadata.google.internal"}) {
    INFO(host);
    CHECK_FALSE(is_local_host(host));
  }
}

}  // namespace signctl::net
