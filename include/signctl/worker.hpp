// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

// Backends that load other people's drivers (`pkcs11`) do so in a process of their own, because a
// driver that hangs cannot be stopped inside ours, and one that crashes would take us along. That
// process is a program whose main() begins with run_worker().
namespace signctl {

/// Serves as worker if that is what `arguments` (without the program's name) ask for; the result is
/// then the exit code. Otherwise notes that this program can be started as its own worker.
///
/// Call it first in main(), before threads and output. On Windows it does nothing: drivers run
/// inside the program there.
std::optional<int> run_worker(std::span<const std::string> arguments);

/// Names another program (absolute path, UTF-8) whose main() calls run_worker(), for instance the
/// signctl tool. Without either of the two, drivers run inside this program, without a deadline.
void set_worker_program(std::string path_utf8);

}  // namespace signctl
