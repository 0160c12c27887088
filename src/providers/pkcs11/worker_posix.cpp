// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/worker_posix.hpp"

#include "core/wipe.hpp"
#include "providers/pkcs11/driver.hpp"
#include "providers/pkcs11/frames_posix.hpp"

#include <signctl/worker.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

extern char** environ;  // NOLINT(readability-identifier-naming): POSIX gives the name.

namespace signctl {
namespace {

/// Which program can be started as worker.
struct WorkerProgram {
  std::mutex mutex;
  std::string path;  ///< Empty: none.
};

WorkerProgram& worker_program() {
  static WorkerProgram instance;
  return instance;
}

std::string own_program() {
#if defined(__linux__)
  return "/proc/self/exe";  // Also right after the file has been replaced by an update.
#elif defined(__APPLE__)
  std::string path(4096, '\0');
  auto size = static_cast<std::uint32_t>(path.size());
  return _NSGetExecutablePath(path.data(), &size) == 0 ? std::string(path.c_str()) : "";
#else
  return "";
#endif
}

}  // namespace

std::optional<int> run_worker(std::span<const std::string> arguments) {
  if (arguments.size() == 1 && arguments[0] == providers::pkcs11::kWorkerArgument) {
    return providers::pkcs11::serve_worker();
  }
  set_worker_program(own_program());
  return std::nullopt;
}

void set_worker_program(std::string path_utf8) {
  WorkerProgram& program = worker_program();
  const std::lock_guard lock(program.mutex);
  program.path = std::move(path_utf8);
}

}  // namespace signctl

namespace signctl::providers::pkcs11 {
namespace {

using std::chrono::milliseconds;

/// How long a worker may take to end by itself: it logs out and closes its sessions, which a TPM
/// without resource manager or an HSM would keep for a process that was killed, until there is none
/// left for the next. Its own grace is a little shorter.
constexpr milliseconds kGrace{10'000};
/// How long one that was killed is waited for.
constexpr milliseconds kDying{2'000};

Error start_error(std::string message) {
  return {ErrorKind::provider,
          "cannot start the worker process for the PKCS#11 module: " + std::move(message),
          "raise the limits of processes and open files (ulimit -u, -n)"};
}

/// The worker process.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (!wait(kGrace)) {
      kill();
    }
  }

  /// Whether it has ended, after at most `limit`.
  bool wait(milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      if (has_ended()) {
        return true;
      }
      if (std::chrono::steady_clock::now() >= deadline) {
        return false;
      }
      ::poll(nullptr, 0, 2);
    }
  }

  void kill() {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) {
        return;
      }
      // It leads a process group of its own, so this ends what the driver started as well.
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
    }
    // Not for ever: a process that the kernel holds inside a device call ends when that does.
    static_cast<void>(wait(kDying));
  }

  /// "crashed (signal 11)", once it has ended.
  std::string how_it_ended() {
    static_cast<void>(wait(milliseconds{500}));
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      return "stopped answering";
    }
    if (WIFSIGNALED(status_)) {
      const int signal = WTERMSIG(status_);
      return signal == SIGKILL ? "was stopped" : "crashed (signal " + std::to_string(signal) + ")";
    }
    return "ended with code " + std::to_string(WEXITSTATUS(status_));
  }

 private:
  bool has_ended() {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      const pid_t got = retry_interrupted([&] { return ::waitpid(pid_, &status_, WNOHANG); });
      ended_ = got != 0;  // An error means that somebody else has reaped it.
    }
    return ended_;
  }

  std::mutex mutex_;
  pid_t pid_;
  int status_{0};
  bool ended_{false};
};

/// What links and driver share.
struct Shared {
  Shared(pid_t pid, Descriptor socket) : process(pid), control(std::move(socket)) {}

  // The socket is closed before the process is waited for: that is what makes it end.
  Process process;
  std::mutex control_mutex;
  Descriptor control;
  std::atomic<bool> hung{false};
};

std::string_view what_it_does(Operation operation) {
  switch (operation) {
    case Operation::load:
      return "loading it";
    case Operation::attach:
      return "opening a link";
    case Operation::slots:
      return "listing slots";
    case Operation::token:
      return "reading the token";
    case Operation::mechanisms:
      return "listing mechanisms";
    case Operation::login:
      return "logging in (C_Login)";
    case Operation::objects:
      return "listing keys and certificates";
    case Operation::sign:
      return "signing (C_Sign)";
    case Operation::drop:
      return "closing a session";
  }
  return "a call";
}

/// One exchange; the process is ended when it does not come in time.
Result<Reply> exchange(
    Shared& shared, int socket, const Request& request, int descriptor, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  Bytes frame = encode(request);
  const Transfer sent = send_frame(socket, frame, descriptor, deadline);
  wipe_memory(frame.data(), frame.size());
  Received received;
  received.transfer = sent;
  if (sent == Transfer::done) {
    received = receive_frame(socket, deadline);
  }
  if (received.transfer == Transfer::done) {
    return decode_reply(received.payload);
  }
  const std::string doing(what_it_does(request.operation));
  if (received.transfer == Transfer::late) {
    shared.hung = true;
    shared.process.kill();
    return Error{ErrorKind::network,
                 "the PKCS#11 driver did not answer within " + std::to_string(limit.count()) +
                     " ms while " + doing + "; it was stopped",
                 "look at the token's light, its reader or the link to the HSM; set timeout higher "
                 "where somebody must touch it or use a pin pad"};
  }
  if (received.transfer == Transfer::garbled) {
    shared.process.kill();
    return Error{ErrorKind::internal, "garbled reply from the PKCS#11 worker"};
  }
  return Error{ErrorKind::network,
               "the PKCS#11 driver " +
                   (shared.hung ? std::string("was stopped because another call hung")
                                : shared.process.how_it_ended()) +
                   " while " + doing,
               "update the vendor's driver, or try another module for the same token"};
}

class RemoteLink final : public Link {
 public:
  RemoteLink(std::shared_ptr<Shared> shared, Descriptor socket)
      : shared_(std::move(shared)), socket_(std::move(socket)) {}

  Result<Reply> call(const Request& request, milliseconds limit) override {
    return exchange(*shared_, socket_.get(), request, -1, limit);
  }

 private:
  std::shared_ptr<Shared> shared_;
  Descriptor socket_;
};

class RemoteDriver final : public Driver {
 public:
  RemoteDriver(pid_t pid, Descriptor control)
      : shared_(std::make_shared<Shared>(pid, std::move(control))) {}

  Result<std::unique_ptr<Link>> connect(milliseconds limit) override {
    auto pair = make_socket_pair();
    if (!pair) {
      return start_error("no socket");
    }
    Request attach;
    attach.operation = Operation::attach;
    const std::lock_guard lock(shared_->control_mutex);
    SIGNCTL_TRY(const Reply reply,
                exchange(*shared_, shared_->control.get(), attach, pair->theirs.get(), limit),
                "");
    static_cast<void>(reply);
    std::unique_ptr<Link> link = std::make_unique<RemoteLink>(shared_, std::move(pair->ours));
    return link;
  }

  [[nodiscard]] bool isolated() const override { return true; }
  [[nodiscard]] bool hung() const override { return shared_->hung; }
  void stop() override { shared_->process.kill(); }

 private:
  std::shared_ptr<Shared> shared_;
};

struct SpawnSettings {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  SpawnSettings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<std::shared_ptr<Driver>> spawn(const std::string& program) {
  auto pair = make_socket_pair();
  if (!pair) {
    return start_error("no socket");
  }
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.files, pair->theirs.get(), STDIN_FILENO);
  // What drivers print is theirs to explain, and could be anything: some print what they are given.
  posix_spawn_file_actions_addopen(&settings.files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&settings.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&defaults, number);
  }
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &defaults);
  // Its own process group: an interrupt at the terminal is for signctl, which finishes its files.
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = "signctl";
  std::string argument(kWorkerArgument);
  std::array<char*, 3> arguments{name.data(), argument.data(), nullptr};
  pid_t pid = -1;
  if (::posix_spawn(&pid,
                    program.c_str(),
                    &settings.files,
                    &settings.attributes,
                    arguments.data(),
                    environ) != 0) {
    return start_error("it cannot be run");
  }
  std::shared_ptr<Driver> driver = std::make_shared<RemoteDriver>(pid, std::move(pair->ours));
  return driver;
}

}  // namespace

Result<std::shared_ptr<Driver>> start_driver() {
  WorkerProgram& program = worker_program();
  std::string path;
  {
    const std::lock_guard lock(program.mutex);
    path = program.path;
  }
  return path.empty() ? Result<std::shared_ptr<Driver>>(local_driver()) : spawn(path);
}

}  // namespace signctl::providers::pkcs11
