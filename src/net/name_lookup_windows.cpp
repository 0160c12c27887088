// SPDX-License-Identifier: Apache-2.0
// getaddrinfo says of a machine that is off the network what it says of a name that does not exist,
// so DNS itself is asked.
#include "core/path.hpp"
#include "core/windows_api.hpp"
#include "net/name_lookup.hpp"

#include <windns.h>

namespace signctl::net {

NameState name_state(int getaddrinfo_result) {
  return getaddrinfo_result == 0 ? NameState::present : NameState::unknown;
}

NameState look_up(const std::string& host) {
  PDNS_RECORD found = nullptr;
  const DNS_STATUS status =
      DnsQuery_W(to_path(host).c_str(), DNS_TYPE_A, DNS_QUERY_STANDARD, nullptr, &found, nullptr);
  if (found != nullptr) {
    DnsFree(found, DnsFreeRecordList);
  }
  if (status == ERROR_SUCCESS || status == DNS_INFO_NO_RECORDS) {
    return NameState::present;
  }
  return status == DNS_ERROR_RCODE_NAME_ERROR ? NameState::absent : NameState::unknown;
}

}  // namespace signctl::net
