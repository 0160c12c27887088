// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/secret_input.hpp"
#include "core/windows_api.hpp"
#include "core/windows_error.hpp"
#include "core/wipe.hpp"

#include <algorithm>

namespace signctl {

namespace {

Error command_error(std::string message, std::string hint) {
  return {ErrorKind::auth, "the command of a secret " + std::move(message), std::move(hint)};
}

/// A command, everything it started (by the job), and the reading end of its output.
struct Command {
  WindowsHandle job;
  WindowsHandle process;
  WindowsHandle output;
};

/// Only our own standard handles may be inherited, so each end is marked by hand.
bool make_pipe(WindowsHandle& reading, WindowsHandle& writing) {
  SECURITY_ATTRIBUTES inherited{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
  HANDLE read_end = nullptr;
  HANDLE write_end = nullptr;
  if (CreatePipe(&read_end, &write_end, &inherited, 0) == 0) {
    return false;
  }
  reading = WindowsHandle(read_end);
  writing = WindowsHandle(write_end);
  return SetHandleInformation(read_end, HANDLE_FLAG_INHERIT, 0) != 0;
}

/// A job that ends all its processes with its last handle.
WindowsHandle make_job() {
  WindowsHandle job(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits, sizeof limits);
  return job;
}

Result<Command> start_command(const std::string& command) {
  Command started;
  WindowsHandle writing;
  if (!make_pipe(started.output, writing)) {
    return command_error("could not be given a pipe", "");
  }
  started.job = make_job();
  SECURITY_ATTRIBUTES inherited{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
  const WindowsHandle nothing(
      CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ, &inherited, OPEN_EXISTING, 0, nullptr));
  STARTUPINFOW startup{};
  startup.cb = sizeof startup;
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = nothing.get();
  startup.hStdOutput = writing.get();
  startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  std::wstring line = L"cmd.exe /d /s /c \"" + to_path(command).native() + L"\"";
  PROCESS_INFORMATION made{};
  if (CreateProcessW(nullptr,
                     line.data(),
                     nullptr,
                     nullptr,
                     TRUE,
                     CREATE_SUSPENDED,
                     nullptr,
                     nullptr,
                     &startup,
                     &made) == 0) {
    return command_error("could not be started", "check that cmd.exe is in the path");
  }
  started.process = WindowsHandle(made.hProcess);
  const WindowsHandle thread(made.hThread);
  AssignProcessToJobObject(started.job.get(), made.hProcess);
  ResumeThread(made.hThread);
  return started;
}

/// What has arrived so far is taken without waiting; false when the pipe has come to its end.
bool read_available(const WindowsHandle& pipe, std::string& out) {
  DWORD available = 0;
  if (PeekNamedPipe(pipe.get(), nullptr, 0, nullptr, &available, nullptr) == 0) {
    return false;
  }
  const std::size_t size = out.size();
  const std::size_t room = kLargestSecret + 1 - size;
  const auto wanted = static_cast<DWORD>(std::min<std::size_t>(available, room));
  out.resize(size + wanted);
  DWORD got = 0;
  if (wanted != 0 && ReadFile(pipe.get(), out.data() + size, wanted, &got, nullptr) == 0) {
    got = 0;
  }
  out.resize(size + got);
  return out.size() <= kLargestSecret;
}

}  // namespace

Result<Secret> read_command_output(const std::string& command,
                                   std::chrono::milliseconds limit,
                                   OutputPart part) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  SIGNCTL_TRY(const Command running, start_command(command), "");
  std::string output;
  output.reserve(kLargestSecret + 1);
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < deadline && output.size() <= kLargestSecret) {
    ended = WaitForSingleObject(running.process.get(), 10) == WAIT_OBJECT_0;
    // After its end as well: what it wrote last is still in the pipe.
    read_available(running.output, output);
  }
  DWORD code = 1;
  GetExitCodeProcess(running.process.get(), &code);
  const std::size_t end =
      part == OutputPart::everything ? output.npos : output.find_first_of("\r\n");
  std::string wanted = output.substr(0, end);
  const bool too_long = output.size() > kLargestSecret;
  wipe_string(output);
  Secret secret(std::move(wanted));
  if (too_long) {
    return command_error("printed more than a secret can be", "have it print the secret alone");
  }
  if (!ended) {
    return command_error("did not end within " + std::to_string(limit.count() / 1000) + " seconds",
                         "run it by hand; it gets no input and must not ask for any");
  }
  if (code != 0) {
    return command_error("failed with exit code " + std::to_string(code),
                         "run it by hand; what it printed to stderr is above");
  }
  if (secret.empty()) {
    return command_error("printed nothing", "have it print the secret as its first line");
  }
  return secret;
}

Result<Secret> read_standard_input() {
  const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
  DWORD mode = 0;
  const bool console = GetConsoleMode(input, &mode) != 0;
  if (console) {
    SetConsoleMode(input, mode & ~static_cast<DWORD>(ENABLE_ECHO_INPUT));
  }
  std::string text(kLargestSecret + 1, '\0');
  std::size_t size = 0;
  DWORD got = 0;
  // A console hands out one line per read; a pipe is read to its end.
  while (
      size < text.size() &&
      ReadFile(input, text.data() + size, static_cast<DWORD>(text.size() - size), &got, nullptr) !=
          0 &&
      got != 0) {
    size += got;
    if (console) {
      break;
    }
  }
  if (console) {
    SetConsoleMode(input, mode);
  }
  text.resize(size);
  if (text.size() > kLargestSecret) {
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
