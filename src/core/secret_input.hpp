// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/secret.hpp>

#include <chrono>
#include <string>

namespace signctl {

/// How much of a command's output is the secret.
enum class OutputPart { first_line, everything };

/// What a shell command prints. The command has no input; its stderr is ours.
///
/// @errors `auth` when it cannot be run, fails, prints nothing, or takes longer than `limit`; it is
///         then ended, with everything that it started.
Result<Secret> read_command_output(const std::string& command,
                                   std::chrono::milliseconds limit,
                                   OutputPart part = OutputPart::first_line);

/// Standard input up to its end without a trailing line break; one line, not echoed, when it is a
/// terminal. Reads anew with each call.
///
/// @errors `auth` when nothing is there.
Result<Secret> read_standard_input();

/// Most bytes that a secret may have; more is taken for a mistake.
inline constexpr std::size_t kLargestSecret = std::size_t{1} << 16U;

}  // namespace signctl
