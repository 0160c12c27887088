// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace signctl::cli {

/// Prepares the process and returns the name it was called by and its arguments, as UTF-8.
///
/// Interrupts: the first SIGINT, SIGTERM or SIGHUP (console control event on Windows) asks running
/// work to stop after the files in flight; the second removes temporary files and ends the process
/// with 130. A closed pipe is a write error, not a signal.
std::vector<std::string> start_process(int argc, char** argv);

enum class Stream { output, error };

/// Whether somebody sits in front of it, and colours would be understood.
[[nodiscard]] bool is_terminal(Stream stream);

/// Makes standard output carry bytes unchanged; matters on Windows only.
void set_binary_output();

}  // namespace signctl::cli
