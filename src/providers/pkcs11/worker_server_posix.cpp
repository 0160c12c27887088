// SPDX-License-Identifier: Apache-2.0
// The inside of the worker process. It holds the module, knows nothing of files or settings, and
// ends when signctl does, whatever the driver is doing.

#include "core/wipe.hpp"
#include "providers/pkcs11/frames_posix.hpp"
#include "providers/pkcs11/module.hpp"
#include "providers/pkcs11/worker_posix.hpp"

#include <array>
#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace signctl::providers::pkcs11 {
namespace {

constexpr int kUsage = 2;
/// How long a driver may take to close down once nobody is asking any more.
constexpr std::chrono::seconds kGrace{8};

/// How many links are being served.
class Crew {
 public:
  void joined() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void left() {
    const std::lock_guard lock(mutex_);
    --count_;
    changed_.notify_all();
  }
  void wait_until_gone() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kGrace, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_{0};
};

/// One request and its answer. False when the other side has gone or talks nonsense.
bool answer(int socket, Connection& connection, Received received) {
  auto request = decode_request(received.payload);
  wipe_memory(received.payload.data(), received.payload.size());
  if (!request) {
    return false;
  }
  const Bytes frame = encode(connection.execute(*request));
  return send_frame(socket, frame, -1, {}) == Transfer::done;
}

void serve_link(const Descriptor& socket, const std::shared_ptr<Host>& host) {
  Connection connection(host);
  for (;;) {
    Received received = receive_frame(socket.get(), {});
    if (received.transfer != Transfer::done ||
        !answer(socket.get(), connection, std::move(received))) {
      return;
    }
  }
}

bool is_attach(const Received& received) {
  const auto request = decode_request(received.payload);
  return request && request->operation == Operation::attach;
}

/// The first link: it also brings the others.
void serve_control(int socket, const std::shared_ptr<Host>& host, Crew& crew) {
  Connection connection(host);
  for (;;) {
    Received received = receive_frame(socket, {});
    if (received.transfer != Transfer::done) {
      return;
    }
    if (!received.descriptor.is_open() || !is_attach(received)) {
      if (!answer(socket, connection, std::move(received))) {
        return;
      }
      continue;
    }
    crew.joined();
    std::thread([host, &crew, link = std::move(received.descriptor)] {
      serve_link(link, host);
      crew.left();
    }).detach();
    Reply welcome;
    welcome.call = "attach";
    if (send_frame(socket, encode(welcome), -1, {}) != Transfer::done) {
      return;
    }
  }
}

/// Ends the process when signctl has gone, even while a driver hangs in the thread that would
/// notice.
void watch(int socket) {
  std::thread([socket] {
    pollfd waiting{socket, 0, 0};
    while (retry_interrupted([&] { return ::poll(&waiting, 1, -1); }) == 0) {
    }
    std::this_thread::sleep_for(kGrace);
    ::_exit(0);
  }).detach();
}

/// The socket, moved away from standard input so that no driver reads it there.
int take_socket() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(STDIN_FILENO, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.ss_family != AF_UNIX) {
    return -1;
  }
  constexpr int kOutOfTheWay = 10;
  const int socket = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, kOutOfTheWay);
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing.is_open()) {
    ::dup2(nothing.get(), STDIN_FILENO);
  }
  return socket;
}

}  // namespace

int serve_worker() {
  const int socket = take_socket();
  if (socket < 0) {
    return kUsage;  // Started by hand.
  }
  // A crash must not leave a PIN behind in a core file.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(SIGPIPE, SIG_IGN);
  watch(socket);
  auto host = std::make_shared<Host>();
  Crew crew;
  serve_control(socket, host, crew);
  crew.wait_until_gone();
  {
    const std::lock_guard lock(host->mutex);
    host->module.reset();  // C_Finalize, unless a link is still inside.
  }
  // Past the exit handlers, in which some vendors' libraries crash.
  ::_exit(0);
}

}  // namespace signctl::providers::pkcs11
