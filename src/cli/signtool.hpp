// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

// signtool's command line, for packagers that have it built in.
namespace signctl::cli {

/// What one of signtool's command lines asks for, in our own words.
struct SigntoolOrder {
  std::string command;                 ///< "sign", "verify", "timestamp" or "remove"; "help".
  std::vector<std::string> arguments;  ///< For that command of signctl.
  bool warn_unstamped{false};          ///< /tw: a missing timestamp is a warning, not a failure.
};

/// Translates signtool's arguments, the verb first. Options may begin with `/` or `-`, in any case.
/// An option is left out only where leaving it out changes nothing about the result.
///
/// Source: `signtool sign /?`, `verify /?`, `timestamp /?` and `remove /?` of Windows
/// SDK 10.0.22621, and learn.microsoft.com/windows/win32/seccrypto/signtool.
///
/// @errors `usage` for what signtool does not know either or misses; `unsupported`, with what to do
///         instead, for what we do not do.
Result<SigntoolOrder> translate_signtool(const std::vector<std::string>& arguments);

/// signtool's exit code for success with a warning.
constexpr int kSigntoolWarning = 2;

/// signtool's exit code for one of ours: 0, or 1 for every failure.
[[nodiscard]] int signtool_exit_code(int ours);

}  // namespace signctl::cli
