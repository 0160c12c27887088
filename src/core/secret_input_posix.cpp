// SPDX-License-Identifier: Apache-2.0
#include "core/posix_error.hpp"
#include "core/secret_input.hpp"
#include "core/wipe.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-identifier-naming): POSIX gives the name.

namespace signctl {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

Error command_error(std::string message, std::string hint) {
  return {ErrorKind::auth, "the command of a secret " + std::move(message), std::move(hint)};
}

/// A running command and the reading end of its output. Still there when this goes, it is ended.
class Command {
 public:
  Command(pid_t pid, Descriptor output) : pid_(pid), output_(std::move(output)) {}
  Command(Command&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  Command& operator=(Command&&) = delete;
  ~Command();

  [[nodiscard]] int output() const { return output_.get(); }

  /// The exit status once it has ended by itself; empty when `deadline` came first.
  std::optional<int> wait_until(SteadyTime deadline);

 private:
  pid_t pid_;
  Descriptor output_;
};

Command::~Command() {
  if (pid_ > 0) {
    // It leads a process group of its own, so this ends what it started as well.
    kill(-pid_, SIGKILL);
    static_cast<void>(retry_interrupted([this] { return waitpid(pid_, nullptr, 0); }));
  }
}

std::optional<int> Command::wait_until(SteadyTime deadline) {
  int status = 0;
  for (;;) {
    const pid_t ended = retry_interrupted([&] { return waitpid(pid_, &status, WNOHANG); });
    if (ended != 0) {
      pid_ = -1;
      return ended < 0 ? -1 : status;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return std::nullopt;
    }
    poll(nullptr, 0, 5);
  }
}

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

Result<Command> start_command(const std::string& command) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) {
    return command_error("could not be given a pipe", "raise the limit of open files (ulimit -n)");
  }
  Descriptor reading(ends[0]);
  const Descriptor writing(ends[1]);
  fcntl(reading.get(), F_SETFD, FD_CLOEXEC);
  fcntl(writing.get(), F_SETFD, FD_CLOEXEC);

  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.files, writing.get(), STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGINT);
  sigaddset(&defaults, SIGTERM);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &defaults);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string text = command;
  std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = -1;
  if (posix_spawn(
          &pid, shell.c_str(), &settings.files, &settings.attributes, arguments.data(), environ) !=
      0) {
    return command_error("could not be started", "check that /bin/sh is there");
  }
  return Command(pid, std::move(reading));
}

/// Reads until the end, `deadline`, or more than a secret may have. False when it came to no end.
bool read_all(int file, SteadyTime deadline, std::string& out) {
  // Reserved at once: a string that grows leaves copies of a secret behind.
  out.reserve(kLargestSecret + 1);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{file, POLLIN, 0};
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    const int ready = retry_interrupted([&] { return poll(&waiting, 1, timeout); });
    if (ready < 0 || (ready == 0 && left.count() <= 0)) {
      return false;
    }
    if (ready == 0) {
      continue;
    }
    const std::size_t size = out.size();
    out.resize(kLargestSecret + 1);
    const ssize_t got =
        retry_interrupted([&] { return read(file, out.data() + size, out.size() - size); });
    out.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) {
      return got == 0;
    }
    if (out.size() > kLargestSecret) {
      return false;
    }
  }
}

/// Turns the echo of a terminal off for as long as this lives.
class EchoOff {
 public:
  EchoOff() {
    changed_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = changed_ && tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    if (changed_) {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
  }

 private:
  termios before_{};
  bool changed_{false};
};

/// A terminal hands out one line per read.
Result<Secret> read_terminal_line() {
  const EchoOff silence;
  std::string line(kLargestSecret, '\0');
  const ssize_t got =
      retry_interrupted([&] { return read(STDIN_FILENO, line.data(), line.size()); });
  line.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::string text = line.substr(0, line.find_first_of("\r\n"));
  wipe_string(line);
  if (text.empty()) {
    return Error{ErrorKind::auth, "no secret was typed", "type it and press enter"};
  }
  return Secret(std::move(text));
}

}  // namespace

Result<Secret> read_command_output(const std::string& command,
                                   std::chrono::milliseconds limit,
                                   OutputPart part) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  SIGNCTL_TRY(Command running, start_command(command), "");
  std::string output;
  const bool complete = read_all(running.output(), deadline, output);
  const std::optional<int> status = complete ? running.wait_until(deadline) : std::nullopt;
  const std::size_t end =
      part == OutputPart::everything ? output.npos : output.find_first_of("\r\n");
  std::string wanted = output.substr(0, end);
  const bool too_long = output.size() > kLargestSecret;
  wipe_string(output);
  Secret secret(std::move(wanted));
  if (too_long) {
    return command_error("printed more than a secret can be", "have it print the secret alone");
  }
  if (!status) {
    return command_error("did not end within " + std::to_string(limit.count() / 1000) + " seconds",
                         "run it by hand; it gets no input and must not ask for any");
  }
  if (*status != 0) {
    const bool exited = *status > 0 && WIFEXITED(*status);
    return command_error(
        exited ? "failed with exit code " + std::to_string(WEXITSTATUS(*status)) : "was killed",
        "run it by hand; what it printed to stderr is above");
  }
  if (secret.empty()) {
    return command_error("printed nothing", "have it print the secret as its first line");
  }
  return secret;
}

Result<Secret> read_standard_input() {
  if (isatty(STDIN_FILENO) == 1) {
    return read_terminal_line();
  }
  std::string text;
  // As long as a pipeline may want: who feeds the pipe decides.
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::hours{24};
  const bool complete = read_all(STDIN_FILENO, deadline, text);
  if (!complete && text.size() > kLargestSecret) {
    wipe_string(text);
    return Error{ErrorKind::auth,
                 "standard input holds more than a secret can be",
                 "pipe the secret alone into signctl"};
  }
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  if (text.empty()) {
    return Error{ErrorKind::auth, "standard input holds no secret", "pipe the secret into signctl"};
  }
  Secret secret(std::string(text.data(), text.size()));
  wipe_string(text);
  return secret;
}

}  // namespace signctl
