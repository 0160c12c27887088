// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <string>

namespace signctl::crypto {

/// Empties OpenSSL's error queue of this thread and returns it as one line; "no detail" if empty.
[[nodiscard]] std::string drain_errors();

/// An Error whose message is `what` followed by the drained queue.
[[nodiscard]] Error openssl_error(ErrorKind kind, std::string what);

}  // namespace signctl::crypto
