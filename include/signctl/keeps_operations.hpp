// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl {

/// Where it stands which operation of a service is to bring a signature. It outlives the process.
class OperationNote {
 public:
  virtual ~OperationNote() = default;

  /// The operation that was noted for the very same signature and has not brought it yet; empty
  /// when there is none.
  [[nodiscard]] virtual std::string noted() const = 0;
  /// The service has accepted to sign, and may count it from here on. Replaces what was noted.
  ///
  /// @param operation  What the service knows it by: not empty, and no secret.
  virtual void note(const std::string& operation) = 0;
};

/// What a SigningSession can do besides, if its service accepts a request first and makes the
/// signature later: go on where an earlier process was waiting.
class KeepsOperations {
 public:
  virtual ~KeepsOperations() = default;

  /// Gives a note to the next sign(): an operation that is noted is asked for before another is
  /// begun, and each that is accepted is noted before it is waited for. Never spends a signature.
  ///
  /// @param note  Valid until the next sign() has returned.
  virtual void keep_operation_in(OperationNote& note) = 0;
};

}  // namespace signctl
