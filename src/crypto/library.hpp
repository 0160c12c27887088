// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl::crypto {

/// Starts OpenSSL before its first use, without reading openssl.cnf: that file has no say in how
/// releases are signed, and reading it costs start-up time. Cheap to call again; thread-safe.
void start_library();

/// The version of the OpenSSL that signs and verifies here: "3.0.17".
[[nodiscard]] std::string library_version();

}  // namespace signctl::crypto
