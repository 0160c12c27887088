// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>

namespace signctl {

/// Runs a command through the system's shell, without standard input, and returns the first line of
/// its output. Its stderr goes to ours. It has 60 seconds.
///
/// @errors `auth` when it cannot be run, fails, says nothing, or takes too long: all its callers
/// are
///         after credentials.
Result<std::string> first_line_of_command(const std::string& command);

}  // namespace signctl
