// SPDX-License-Identifier: Apache-2.0
#include "core/command.hpp"
#include "core/posix_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is POSIX, not in <csignal>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace signctl {

namespace {

constexpr std::chrono::seconds kLimit{60};
constexpr std::size_t kMaxOutput = 64U << 10U;

struct Child {
  pid_t process{};
  int output{-1};
};

Result<Child> start(const std::string& command) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    return posix_error(ErrorKind::auth, "cannot run a command for a secret", errno);
  }
  const FileDescriptor write_end(pipe_ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string text = command;
  std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  Child child;
  const int failed =
      ::posix_spawn(&child.process, shell.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    ::close(pipe_ends[0]);
    return posix_error(ErrorKind::auth, "cannot run a command for a secret", failed);
  }
  child.output = pipe_ends[0];
  return child;
}

/// Everything the child says until it closes its output or the time is up.
bool read_all(int descriptor, std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    struct pollfd wait {
      descriptor, POLLIN, 0
    };
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0) {
      return false;
    }
    std::array<char, 4096> block{};
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return true;
    }
    if (text.size() < kMaxOutput) {
      text.append(block.data(), static_cast<std::size_t>(got));
    }
  }
}

}  // namespace

Result<std::string> first_line_of_command(const std::string& command) {
  SIGNCTL_TRY(const Child child, start(command), "");
  const FileDescriptor output(child.output);
  std::string text;
  const bool finished = read_all(output.get(), text);
  if (!finished) {
    ::kill(child.process, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!finished) {
    return Error{ErrorKind::auth, "the command for a secret did not finish within 60 s"};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{ErrorKind::auth,
                 "the command for a secret failed",
                 "run it by hand: it must exit with 0 and print the secret on its first line"};
  }
  text.erase(std::min(text.find('\n'), text.size()));
  if (text.empty()) {
    return Error{ErrorKind::auth,
                 "the command for a secret printed nothing",
                 "it must print the secret on its first line"};
  }
  return text;
}

}  // namespace signctl
