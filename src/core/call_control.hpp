// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <chrono>

namespace signctl {

/// How the calls that a run makes to one service are tried again, and who hears of their trouble.
/// Safe to share between threads.
class CallControl {
 public:
  virtual ~CallControl() = default;

  struct Rules {
    int attempts{};                       ///< Tries of one call, the first included.
    std::chrono::milliseconds initial{};  ///< Upper bound of the first pause; it doubles.
    std::chrono::milliseconds max{};      ///< Upper bound of any pause that was not asked for.
  };
  [[nodiscard]] virtual Rules rules() const = 0;

  /// What is left of the time that the run may take; zero when it is over.
  [[nodiscard]] virtual std::chrono::milliseconds time_left() const = 0;

  /// A call failed in a way that may pass.
  virtual void on_trouble(const Error& error) = 0;

  /// Waits before the next attempt, for less than `pause` when others find the service well again.
  ///
  /// @return  Whether another attempt makes sense; false when the run is to stop.
  virtual bool wait(std::chrono::milliseconds pause) = 0;
};

/// Puts the calls that this thread makes while the object lives under a control. Sessions make
/// their calls in the thread that asks them, so a run governs calls of backends that know nothing
/// of it.
class CallScope {
 public:
  explicit CallScope(CallControl& control);
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  ~CallScope();

  /// The innermost one of this thread; null when its calls are under nobody's control.
  [[nodiscard]] static CallScope* current();

  [[nodiscard]] CallControl& control() { return control_; }
  /// Notes a failure that may pass, and tells the control.
  void on_trouble(const Error& error);
  /// What fails now is not tried again in this run, though it may pass: counts as all the tries.
  void give_up();
  /// How many there were.
  [[nodiscard]] int troubles() const { return troubles_; }

 private:
  CallControl& control_;
  CallScope* outer_;
  int troubles_{0};
};

}  // namespace signctl
