// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace signctl::providers::pkcs11 {

/// The one argument that makes a program a worker. Its socket is standard input.
inline constexpr std::string_view kWorkerArgument = "pkcs11-worker";

/// Serves until signctl closes its end, then ends the process. Returns an exit code only when
/// standard input is no socket.
int serve_worker();

}  // namespace signctl::providers::pkcs11
