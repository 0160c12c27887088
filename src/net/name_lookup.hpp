// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl::net {

/// What the system's resolver knows of a host name.
enum class NameState {
  present,  ///< It has an address.
  absent,   ///< There is no such name, and asking again will not change that.
  unknown,  ///< The resolver had no answer: it cannot be reached, or is in trouble.
};

/// Asks the resolver; may wait for as long as that takes to give up.
[[nodiscard]] NameState look_up(const std::string& host);

/// What a return value of getaddrinfo (RFC 3493, 6.1) says.
[[nodiscard]] NameState name_state(int getaddrinfo_result);

}  // namespace signctl::net
