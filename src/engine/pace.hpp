// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/backoff.hpp"
#include "core/call_control.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

namespace signctl::engine {

/// How many signatures are asked of one signer at a time, and what is done about its trouble. One
/// for each signer of a run, shared by all threads.
///
/// The window begins low and grows by one with each signature that succeeds, so it doubles with
/// every round trip. Trouble halves it, once for all calls that were under way together; from then
/// on it grows by one for each whole window (additive increase, multiplicative decrease).
///
/// A signer whose budget of attempts is spent is broken for a while: its calls then get a single
/// attempt, which finds out whether it is well again.
class Pace final : public CallControl {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// @param ceiling   Most signatures at a time, at least 1.
  /// @param deadline  When the run has to be over.
  Pace(Clock& clock, const RetryRules& rules, int ceiling, Time deadline);

  [[nodiscard]] Rules rules() const override;
  [[nodiscard]] std::chrono::milliseconds time_left() const override;
  void on_trouble(const Error& error) override;
  bool wait(std::chrono::milliseconds pause) override;

  /// Waits for a place in the window. Every enter() that succeeds is followed by one leave().
  ///
  /// @errors `network`, at once, when the service asked to be left alone for longer than the run
  ///         may take; of a broken signer, for longer than it is broken.
  Result<void> enter();
  enum class Outcome { success, failure };
  void leave(Outcome outcome);

  /// The budget of attempts was spent in vain.
  void break_off();
  [[nodiscard]] bool broken() const;

  /// How many signatures have been made.
  [[nodiscard]] long successes() const;
  [[nodiscard]] int window() const;
  /// The most signatures that were under way together.
  [[nodiscard]] int peak() const;

 private:
  void grow();
  /// Whether waiting for not_before_ is in vain. Call with mutex_ held.
  [[nodiscard]] bool too_long() const;

  Clock& clock_;
  const RetryRules rules_;
  const int ceiling_;
  const Time deadline_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  double window_;
  bool throttled_before_{false};
  int in_flight_{0};
  int peak_{0};
  int to_ignore_{0};     ///< Calls under way at the last halving: their trouble is the same one.
  long successes_{0};    ///< Who waits learns from it that the service is well again.
  Time not_before_{};    ///< Retry-After: nobody begins a call before.
  std::string refusal_;  ///< What the service said with it.
  Time broken_until_{};
};

}  // namespace signctl::engine
