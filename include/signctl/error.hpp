// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signctl {

/// Why an operation failed, at the grain a caller can act on. Add a value only when some
/// caller must behave differently; anything finer belongs in the message. Every value has
/// exactly one process exit code, see exit_code.hpp.
enum class ErrorKind {
  gate,         ///< The verification gate said no: do not ship.
  usage,        ///< The command line is wrong.
  config,       ///< The configuration is wrong.
  input,        ///< A file is missing, unreadable or malformed.
  unsupported,  ///< This file type, algorithm or combination is not supported.
  auth,         ///< Credentials missing, refused, expired or not permitted.
  provider,     ///< The signing service refused for another reason.
  timestamp,    ///< No acceptable timestamp could be had.
  network,      ///< Transient: unreachable, timed out, throttled. The only kind worth retrying.
  guard,        ///< This pipeline may not sign; nothing was touched.
  output,       ///< The result could not be written.
  internal,     ///< A bug in signctl.
  interrupted,  ///< The user or the system asked to stop.
};

/// A failure and the trail of what was being attempted.
struct Error {
  ErrorKind kind{};
  std::string message;               ///< Lower case, no full stop, never a secret.
  std::string hint{};                ///< What the reader can do next; may be empty.
  std::vector<std::string> trail{};  ///< Enclosing steps, innermost first.
  /// How long the service asked us to wait before trying again, if it said so.
  std::optional<std::chrono::milliseconds> retry_after{};
  /// The other side may have done what was asked for, and counted it: only its answer was lost, or
  /// was none. What costs is not asked for blindly after that.
  bool may_be_done{false};

  /// Returns this error with `step` added at the outer end of the trail; an empty step adds
  /// nothing.
  [[nodiscard]] Error within(std::string step) && {
    if (!step.empty()) {
      trail.push_back(std::move(step));
    }
    return std::move(*this);
  }
};

/// Whether running the same thing again may help. Retry loops ask this and nothing else.
[[nodiscard]] constexpr bool is_transient(ErrorKind kind) noexcept {
  return kind == ErrorKind::network;
}

}  // namespace signctl
