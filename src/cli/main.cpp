// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/platform.hpp"

#include <signctl/exit_code.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

[[noreturn]] void end_process(int code) {
#if defined(SIGNCTL_SANITIZED)
  std::exit(code);  // Where the leak checker does its work.
#else
  // All that is ours to release is released; what OpenSSL holds, the system takes back faster.
  std::fflush(nullptr);
  std::_Exit(code);
#endif
}

}  // namespace

// The last door: nothing we call is meant to throw this far, so whatever does is a bug.
int main(int argc, char** argv) {
  int code = signctl::exit_code(signctl::ErrorKind::internal);
  try {
    code = signctl::cli::run(signctl::cli::start_process(argc, argv));
  } catch (const std::exception& exception) {
    (void)std::fprintf(stderr, "signctl: error: internal: %s\n", exception.what());
  } catch (...) {
    (void)std::fputs("signctl: error: internal: unknown exception\n", stderr);
  }
  end_process(code);
}
