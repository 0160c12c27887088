// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/frames_posix.hpp"

#include "core/wipe.hpp"
#include "providers/pkcs11/message.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace signctl::providers::pkcs11 {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;
#endif

/// Longer than any frame about a signature.
constexpr std::size_t kUsualFrame = 2048;

/// Waits until the socket is ready for `events` or the deadline has come.
Transfer wait_for(int socket, short events, Deadline deadline) {
  for (;;) {
    int timeout = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return Transfer::late;
      }
      timeout = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
    }
    pollfd waiting{socket, events, 0};
    const int ready = retry_interrupted([&] { return ::poll(&waiting, 1, timeout); });
    if (ready < 0) {
      return Transfer::closed;
    }
    if (ready > 0) {
      return Transfer::done;
    }
  }
}

/// Room for the control message that carries one descriptor, aligned as CMSG_FIRSTHDR needs it.
union ControlRoom {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(int))> octets;
};

ssize_t send_some(int socket, ByteView bytes, int descriptor, int flags) {
  // sendmsg() does not write through it.
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // NOLINT: see above
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlRoom room{};
  if (descriptor >= 0) {
    message.msg_control = room.octets.data();
    message.msg_controllen = room.octets.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return retry_interrupted([&] { return ::sendmsg(socket, &message, flags); });
}

ssize_t receive_some(int socket, std::span<std::uint8_t> bytes, Descriptor& descriptor) {
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlRoom room{};
  message.msg_control = room.octets.data();
  message.msg_controllen = room.octets.size();
  const ssize_t got = retry_interrupted([&] { return ::recvmsg(socket, &message, 0); });
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
    descriptor = Descriptor(number);
  }
  return got;
}

Transfer receive_all(int socket,
                     std::span<std::uint8_t> bytes,
                     Descriptor& descriptor,
                     Deadline deadline) {
  while (!bytes.empty()) {
    const Transfer ready = deadline ? wait_for(socket, POLLIN, deadline) : Transfer::done;
    if (ready != Transfer::done) {
      return ready;
    }
    const ssize_t got = receive_some(socket, bytes, descriptor);
    if (got <= 0) {
      return Transfer::closed;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return Transfer::done;
}

}  // namespace

std::optional<SocketPair> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
    return std::nullopt;
  }
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
    const int on = 1;
    ::setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  }
  return SocketPair{Descriptor(ends[0]), Descriptor(ends[1])};
}

// There is nearly always room, so it is only waited for when there is none: system calls are most
// of what a signature costs beside the driver's own work.
Transfer send_frame(int socket, ByteView frame, int descriptor, Deadline deadline) {
  const int flags = kSendFlags | (deadline ? MSG_DONTWAIT : 0);
  while (!frame.empty()) {
    const ssize_t sent = send_some(socket, frame, descriptor, flags);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      const Transfer ready = wait_for(socket, POLLOUT, deadline);
      if (ready != Transfer::done) {
        return ready;
      }
      continue;
    }
    if (sent <= 0) {
      return Transfer::closed;
    }
    descriptor = -1;
    frame = frame.subspan(static_cast<std::size_t>(sent));
  }
  return Transfer::done;
}

// Whoever asks waits for the answer, so a frame is followed by nothing: what comes at once is read
// at once, header and all.
Received receive_frame(int socket, Deadline deadline) {
  Received received;
  std::array<std::uint8_t, kUsualFrame> room{};
  std::size_t have = 0;
  while (have < kFrameHeader) {
    if (deadline) {
      received.transfer = wait_for(socket, POLLIN, deadline);
      if (received.transfer != Transfer::done) {
        return received;
      }
    }
    const ssize_t got = receive_some(socket, std::span(room).subspan(have), received.descriptor);
    if (got <= 0) {
      received.transfer = Transfer::closed;
      return received;
    }
    have += static_cast<std::size_t>(got);
  }
  const auto size = payload_size(ByteView(room).first(kFrameHeader));
  if (!size || have - kFrameHeader > *size) {
    received.transfer = Transfer::garbled;
    return received;
  }
  received.payload.resize(*size);
  std::copy(room.begin() + kFrameHeader,
            room.begin() + static_cast<std::ptrdiff_t>(have),
            received.payload.begin());
  wipe_memory(room.data(), have);  // A request may hold a PIN.
  received.transfer = receive_all(socket,
                                  std::span(received.payload).subspan(have - kFrameHeader),
                                  received.descriptor,
                                  deadline);
  return received;
}

}  // namespace signctl::providers::pkcs11
