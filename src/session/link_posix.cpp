// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/posix_error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "session/link.hpp"
#include "session/wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace signctl::session {

namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr std::size_t kHeader = 4;
/// How often a wait looks whether somebody asked to stop.
constexpr milliseconds kLook{200};
constexpr milliseconds kSendTime{30'000};
constexpr mode_t kOnlyOwner = 0700;

Error gone() {
  return {ErrorKind::network, "the signing session is not there any more"};
}

Error no_answer() {
  Error error = gone();
  error.may_be_done = true;
  return error;
}

/// Whether `events` come about before `end`.
Result<bool> wait_for(int socket, short events, Time end) {
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) {
      return false;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - now) + milliseconds(1);
    pollfd waiting{socket, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, kLook).count()));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return gone();
    }
    if (stop_requested()) {
      return Error{ErrorKind::interrupted, "interrupted while waiting for the signing session"};
    }
  }
}

class SocketLink final : public Link {
 public:
  explicit SocketLink(Descriptor socket) : socket_(std::move(socket)) {}

  Result<void> send(ByteView message) override {
    Bytes frame;
    for (std::size_t shift = kHeader; shift-- > 0;) {
      frame.push_back(static_cast<std::uint8_t>(message.size() >> (8 * shift) & 0xFFU));
    }
    frame.insert(frame.end(), message.begin(), message.end());
    const Time end = std::chrono::steady_clock::now() + kSendTime;
    for (std::size_t done = 0; done < frame.size();) {
      SIGNCTL_TRY(const bool ready, wait_for(socket_.get(), POLLOUT, end), "");
      const auto sent =
          ready ? ::send(socket_.get(), frame.data() + done, frame.size() - done, MSG_NOSIGNAL) : 0;
      if (sent <= 0) {
        return gone();
      }
      done += static_cast<std::size_t>(sent);
    }
    return ok();
  }

  Result<Bytes> receive(milliseconds most) override {
    const Time end = std::chrono::steady_clock::now() + most;
    std::array<std::uint8_t, kHeader> header{};
    SIGNCTL_CHECK(fill(header, end), "");
    std::size_t size = 0;
    for (const std::uint8_t octet : header) {
      size = size << 8U | octet;
    }
    if (size > kLongestMessage) {
      return no_answer();
    }
    Bytes message(size);
    SIGNCTL_CHECK(fill(message, end), "");
    return message;
  }

 private:
  Result<void> fill(std::span<std::uint8_t> out, Time end) {
    for (std::size_t done = 0; done < out.size();) {
      SIGNCTL_TRY(const bool ready, wait_for(socket_.get(), POLLIN, end), "");
      const auto got = ready ? ::recv(socket_.get(), out.data() + done, out.size() - done, 0) : 0;
      // unix(7): the other side was closed before all that was sent to it was read.
      const bool unread = got < 0 && errno == ECONNRESET;
      if (got <= 0) {
        return unread ? gone() : no_answer();
      }
      done += static_cast<std::size_t>(got);
    }
    return ok();
  }

  Descriptor socket_;
};

/// Whether the process at the other end is of this user (or root, who may do anything anyway).
bool is_own(int socket) {
#if defined(SO_PEERCRED)
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid();
#else
  uid_t user = 0;
  gid_t group = 0;
  return ::getpeereid(socket, &user, &group) == 0 && user == ::geteuid();
#endif
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorKind::output,
                 "the path of the session's socket is too long: " + printable(path),
                 "set XDG_RUNTIME_DIR to a shorter folder"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// Refuses a folder that others own or may enter.
Result<void> check_folder(const std::string& folder) {
  struct stat state {};
  if (::lstat(folder.c_str(), &state) != 0) {
    return write_error(errno, "cannot look at the folder of sessions", folder);
  }
  if (!S_ISDIR(state.st_mode) || state.st_uid != ::geteuid() ||
      (state.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{ErrorKind::output,
                 printable(folder) + " is not a folder of yours that nobody else may enter",
                 "remove it, or chmod 700 it if it is yours"};
  }
  return ok();
}

class SocketListener final : public Listener {
 public:
  SocketListener(std::string path, Descriptor socket, Descriptor lock)
      : path_(std::move(path)), socket_(std::move(socket)), lock_(std::move(lock)) {}
  SocketListener(const SocketListener&) = delete;
  SocketListener& operator=(const SocketListener&) = delete;
  ~SocketListener() override { ::unlink(path_.c_str()); }

  std::unique_ptr<Link> accept(milliseconds most) override {
    const auto ready = wait_for(socket_.get(), POLLIN, std::chrono::steady_clock::now() + most);
    if (!ready || !*ready) {
      return nullptr;
    }
    Descriptor socket(::accept(socket_.get(), nullptr, nullptr));
    if (!socket.is_open() || !is_own(socket.get())) {
      return nullptr;
    }
    ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    return std::make_unique<SocketLink>(std::move(socket));
  }

 private:
  std::string path_;
  Descriptor socket_;
  Descriptor lock_;  ///< Held for as long as the session lives.
};

class PipeBeginning final : public Beginning {
 public:
  explicit PipeBeginning(Descriptor pipe) : pipe_(std::move(pipe)) {}

  void report(ByteView message) override {
    for (std::size_t done = 0; done < message.size();) {
      const auto written = retry_interrupted(
          [&] { return ::write(pipe_.get(), message.data() + done, message.size() - done); });
      if (written <= 0) {
        break;
      }
      done += static_cast<std::size_t>(written);
    }
    // A pipeline step ends when nobody holds its streams any more.
    const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      if (nothing.is_open()) {
        ::dup2(nothing.get(), stream);
      }
    }
    pipe_.close();
  }

  Bytes wait() override {
    Bytes message;
    std::array<std::uint8_t, 4096> block{};
    for (;;) {
      const auto got =
          retry_interrupted([&] { return ::read(pipe_.get(), block.data(), block.size()); });
      if (got <= 0) {
        return message;
      }
      message.insert(message.end(), block.begin(), block.begin() + got);
    }
  }

 private:
  Descriptor pipe_;
};

/// Closes what was inherited: a runner waits for pipes that are still open somewhere.
void close_inherited(int keep) {
  std::error_code code;
  std::vector<int> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", code)) {
    const std::string name = entry.path().filename().native();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    open.push_back(number);
  }
  for (const int number : open) {
    if (number > STDERR_FILENO && number != keep) {
      ::close(number);
    }
  }
}

}  // namespace

std::string session_folder(const std::optional<std::string>& runtime_dir,
                           const std::optional<std::string>& temporary_dir) {
  return runtime_dir && !runtime_dir->empty()
             ? *runtime_dir + "/signctl"
             : temporary_dir.value_or("/tmp") + "/signctl-" + std::to_string(::geteuid());
}

Result<void> make_session_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), kOnlyOwner) != 0 && errno != EEXIST) {
    return write_error(errno, "cannot make the folder of sessions", folder);
  }
  return check_folder(folder);
}

Result<std::unique_ptr<Listener>> listen(const std::string& path) {
  constexpr int kWaiting = 64;
  SIGNCTL_TRY(const sockaddr_un address, address_of(path), "");
  SIGNCTL_CHECK(check_folder(to_utf8(to_path(path).parent_path())), "");
  const std::string lock_path = path + ".lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock.is_open()) {
    return write_error(errno, "cannot open the session's lock", lock_path);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorKind::output,
                 "another signing session is running for this signer",
                 "signctl session stop ends it"};
  }
  // Whoever held the lock is dead; what is there is dead as well.
  ::unlink(path.c_str());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  if (!socket.is_open() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kWaiting) != 0) {
    return write_error(errno, "cannot listen on the session's socket", path);
  }
  std::unique_ptr<Listener> listener =
      std::make_unique<SocketListener>(path, std::move(socket), std::move(lock));
  return listener;
}

Result<std::unique_ptr<Link>> connect(const std::string& path) {
  struct stat state {};
  if (::lstat(path.c_str(), &state) != 0) {
    return std::unique_ptr<Link>();
  }
  SIGNCTL_TRY(const sockaddr_un address, address_of(path), "");
  SIGNCTL_CHECK(check_folder(to_utf8(to_path(path).parent_path())), "");
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  const int connected = retry_interrupted([&] {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  if (connected != 0) {
    return std::unique_ptr<Link>();
  }
  if (!is_own(socket.get())) {
    return Error{ErrorKind::output, "the process behind " + printable(path) + " is not yours"};
  }
  std::unique_ptr<Link> link = std::make_unique<SocketLink>(std::move(socket));
  return link;
}

Result<std::pair<Side, std::unique_ptr<Beginning>>> start_in_background() {
  using Both = std::pair<Side, std::unique_ptr<Beginning>>;
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return Error{ErrorKind::internal, "there is no pipe to be had"};
  }
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return Error{ErrorKind::internal, "no process can be started"};
  }
  if (child > 0) {
    return Both(Side::parent, std::make_unique<PipeBeginning>(std::move(reading)));
  }
  reading.close();
  ::setsid();
  ::fcntl(writing.get(), F_SETFD, FD_CLOEXEC);
  close_inherited(writing.get());
  return Both(Side::child, std::make_unique<PipeBeginning>(std::move(writing)));
}

std::int64_t process_number() {
  return ::getpid();
}

}  // namespace signctl::session
