// SPDX-License-Identifier: Apache-2.0
#include "cli/platform.hpp"
#include "core/atomic_file.hpp"
#include "core/stop.hpp"
#include "core/windows_api.hpp"

#include <cstdio>

// After windows.h, whose types it uses.
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

namespace signctl::cli {

namespace {

constexpr UINT kInterrupted = 130;

// Runs in a thread of its own, so there is no async-signal-safety to observe.
BOOL WINAPI on_control(DWORD /*event*/) {
  if (!stop_requested()) {
    request_stop();
    (void)std::fputs(
        "\nsignctl: stopping after the files in flight; interrupt again to stop at once\n", stderr);
    return TRUE;
  }
  remove_temporary_files_on_signal();
  ::ExitProcess(kInterrupted);
}

std::string to_utf8(const wchar_t* text) {
  const int size = ::WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  if (size <= 1) {
    return {};
  }
  std::string utf8(static_cast<std::size_t>(size), '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8.data(), size, nullptr, nullptr);
  utf8.pop_back();  // The terminator, which -1 counts.
  return utf8;
}

}  // namespace

// argv is in the process code page and may have lost characters; the command line has them all.
std::vector<std::string> start_process(int /*argc*/, char** /*argv*/) {
  ::SetConsoleCtrlHandler(on_control, TRUE);
  ::SetConsoleOutputCP(CP_UTF8);
  std::vector<std::string> arguments;
  int count = 0;
  LPWSTR* wide = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  if (wide == nullptr) {
    return arguments;
  }
  for (int i = 0; i < count; ++i) {
    arguments.push_back(to_utf8(wide[i]));
  }
  ::LocalFree(wide);
  return arguments;
}

bool is_terminal(Stream stream) {
  const HANDLE handle =
      ::GetStdHandle(stream == Stream::output ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
  DWORD mode = 0;
  return ::GetConsoleMode(handle, &mode) != 0 &&
         ::SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

void set_binary_output() {
  (void)::_setmode(::_fileno(stdout), _O_BINARY);
}

}  // namespace signctl::cli
