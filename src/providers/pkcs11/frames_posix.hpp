// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/posix_error.hpp"

#include <signctl/bytes.hpp>

#include <chrono>
#include <optional>
#include <utility>

// Frames (message.hpp) over a pair of local sockets.
namespace signctl::providers::pkcs11 {

enum class Transfer { done, closed, late, garbled };

using Deadline = std::optional<std::chrono::steady_clock::time_point>;  ///< Empty: wait for ever.

/// Two connected sockets that no other program inherits.
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
[[nodiscard]] std::optional<SocketPair> make_socket_pair();

/// Sends a whole frame, and with its first octets a descriptor if there is one.
Transfer send_frame(int socket, ByteView frame, int descriptor, Deadline deadline);

struct Received {
  Transfer transfer{Transfer::closed};
  Bytes payload;
  Descriptor descriptor;  ///< What came along, if anything did.
};
Received receive_frame(int socket, Deadline deadline);

}  // namespace signctl::providers::pkcs11
