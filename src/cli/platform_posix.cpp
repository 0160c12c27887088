// SPDX-License-Identifier: Apache-2.0
#include "cli/platform.hpp"
#include "core/atomic_file.hpp"
#include "core/stop.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/mman.h>
#endif
#include <unistd.h>

namespace signctl::cli {

namespace {

constexpr int kInterrupted = 130;

void say(const char* text) noexcept {
  // Nothing can be done about a failure here.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

// Only async-signal-safe calls in here (POSIX.1-2017, 2.4.3).
extern "C" void on_signal(int /*number*/) {
  if (!stop_requested()) {
    request_stop();
    say("\nsignctl: stopping after the files in flight; interrupt again to stop at once\n");
    return;
  }
  remove_temporary_files_on_signal();
  ::_exit(kInterrupted);
}

void handle(int number) {
  struct sigaction current {};
  // Under nohup, and for background jobs of some shells, the signal is meant to stay ignored.
  if (::sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) {
    return;
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  (void)::sigaction(number, &action, nullptr);
}

/// Spares a small file most of its page faults, which cost more than its digest does: what every
/// run needs of the heap is asked for in one piece and mapped at once, and memory that one file
/// gives back is kept for the next.
void prepare_heap() {
#if defined(__GLIBC__) && defined(MADV_POPULATE_WRITE) && !defined(SIGNCTL_SANITIZED)
  constexpr std::size_t kNeeded = std::size_t{320} * 1024;
  constexpr int kKept = 1 << 20;
  // Each arena is mapped anew; more threads than these seldom allocate at the same time.
  constexpr int kArenas = 4;
  // NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet
  (void)::mallopt(M_TRIM_THRESHOLD, kKept);
  (void)::mallopt(M_MMAP_THRESHOLD, kKept / 2);
  (void)::mallopt(M_ARENA_MAX, kArenas);
  // NOLINTEND(concurrency-mt-unsafe)
  const std::unique_ptr<void, decltype(&std::free)> block(std::malloc(kNeeded), &std::free);
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  char* const begin = static_cast<char*>(block.get());
  // Kernels before 5.14 refuse, and then it is as it was.
  (void)::madvise(
      begin - reinterpret_cast<std::uintptr_t>(begin) % page, kNeeded, MADV_POPULATE_WRITE);
#endif
}

}  // namespace

std::vector<std::string> start_process(int argc, char** argv) {
  prepare_heap();
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  (void)::sigaction(SIGPIPE, &ignore, nullptr);
  // A file that outgrows the user's limit is an error of the write, with its own exit code.
  (void)::sigaction(SIGXFSZ, &ignore, nullptr);
  for (const int number : std::array{SIGINT, SIGTERM, SIGHUP}) {
    handle(number);
  }
  std::vector<std::string> arguments;
  for (int i = 0; i < argc; ++i) {
    arguments.emplace_back(argv[i]);
  }
  return arguments;
}

bool is_terminal(Stream stream) {
  return ::isatty(stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

void set_binary_output() {}

}  // namespace signctl::cli
