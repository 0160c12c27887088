// SPDX-License-Identifier: Apache-2.0
#include "net/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

namespace signctl::net {

NameState name_state(int getaddrinfo_result) {
  switch (getaddrinfo_result) {
    case 0:
      return NameState::present;
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:  // The name exists, and no address goes by it.
#endif
      return NameState::absent;
    default:
      return NameState::unknown;
  }
}

NameState look_up(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (found != nullptr) {
    ::freeaddrinfo(found);
  }
  return name_state(result);
}

}  // namespace signctl::net
