// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/message.hpp"

#include <signctl/result.hpp>

#include <chrono>
#include <memory>

namespace signctl::providers::pkcs11 {

/// A way to the module with a session of its own. One thread at a time.
class Link {
 public:
  virtual ~Link() = default;

  /// Asks, and waits for the answer for at most `limit`.
  ///
  /// @errors `network` when the driver hung, crashed or had been stopped before: all links of the
  ///         driver are dead then. What a module refuses is a Reply.
  virtual Result<Reply> call(const Request& request, std::chrono::milliseconds limit) = 0;
};

/// The place where a module is loaded. Safe to share between threads.
class Driver {
 public:
  virtual ~Driver() = default;

  virtual Result<std::unique_ptr<Link>> connect(std::chrono::milliseconds limit) = 0;
  /// Whether it is another process, so that a hanging driver can be cut off.
  [[nodiscard]] virtual bool isolated() const = 0;
  /// Whether it was stopped because a call took too long.
  [[nodiscard]] virtual bool hung() const = 0;
  /// Ends the worker at once. Every call fails from then on.
  virtual void stop() = 0;
};

/// A worker process where this program has one (signctl/worker.hpp), else this process.
Result<std::shared_ptr<Driver>> start_driver();

/// This process.
[[nodiscard]] std::shared_ptr<Driver> local_driver();

}  // namespace signctl::providers::pkcs11
