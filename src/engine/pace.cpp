// SPDX-License-Identifier: Apache-2.0
#include "engine/pace.hpp"

#include "core/stop.hpp"

#include <algorithm>

namespace signctl::engine {

namespace {

using std::chrono::milliseconds;

constexpr int kLowestStart = 4;
constexpr milliseconds kSlice{100};
/// How long a broken signer gets single attempts only.
constexpr std::chrono::seconds kBroken{30};

/// Half of what was allowed: one round trip from the top.
double first_window(int ceiling) {
  return std::clamp(ceiling / 2, std::min(kLowestStart, ceiling), ceiling);
}

}  // namespace

Pace::Pace(Clock& clock, const RetryRules& rules, int ceiling, Time deadline)
    : clock_(clock),
      rules_(rules),
      ceiling_(std::max(ceiling, 1)),
      deadline_(deadline),
      window_(first_window(std::max(ceiling, 1))) {}

CallControl::Rules Pace::rules() const {
  return {broken() ? 1 : std::max(rules_.attempts, 1), rules_.initial, rules_.max};
}

milliseconds Pace::time_left() const {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - clock_.steady_now());
  return std::max(left, milliseconds(0));
}

void Pace::on_trouble(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (error.retry_after) {
    not_before_ = std::max(not_before_, clock_.steady_now() + *error.retry_after);
    refusal_ = error.message;
  }
  if (to_ignore_ > 0) {
    --to_ignore_;
    return;
  }
  throttled_before_ = true;
  window_ = std::max(1.0, window_ / 2);
  to_ignore_ = in_flight_ - 1;
}

bool Pace::wait(milliseconds pause) {
  const auto end = clock_.steady_now() + pause;
  long seen = 0;
  {
    const std::lock_guard lock(mutex_);
    seen = successes_;
  }
  while (!stop_requested()) {
    const auto now = clock_.steady_now();
    const auto left = std::chrono::ceil<milliseconds>(end - now);
    if (left <= milliseconds(0)) {
      return true;
    }
    {
      const std::lock_guard lock(mutex_);
      if (successes_ != seen && not_before_ <= now) {
        return true;
      }
    }
    clock_.sleep_for(std::min(left, kSlice));
  }
  return false;
}

bool Pace::too_long() const {
  // Of a broken signer one call finds out every so often whether it is well: that one may not be
  // later than usual.
  const auto now = clock_.steady_now();
  return not_before_ >= deadline_ || (now < broken_until_ && not_before_ > broken_until_);
}

Result<void> Pace::enter() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto now = clock_.steady_now();
    if (now < not_before_ && now < deadline_ && too_long()) {
      return Error{ErrorKind::network,
                   refusal_ + "; it asked to be left alone for longer than this run may wait",
                   "the service is throttling; run again later"};
    }
    const bool asked_to_wait = now < not_before_ && now < deadline_ && !stop_requested();
    if (!asked_to_wait && in_flight_ < std::max(1, static_cast<int>(window_))) {
      break;
    }
    if (asked_to_wait) {
      const auto left = std::chrono::ceil<milliseconds>(not_before_ - now);
      lock.unlock();
      clock_.sleep_for(std::min(left, kSlice));
      lock.lock();
    } else {
      room_.wait_for(lock, kSlice);
    }
  }
  ++in_flight_;
  peak_ = std::max(peak_, in_flight_);
  return ok();
}

void Pace::grow() {
  window_ += throttled_before_ ? 1.0 / std::max(window_, 1.0) : 1.0;
  window_ = std::min(window_, static_cast<double>(ceiling_));
}

void Pace::leave(Outcome outcome) {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  to_ignore_ = std::min(to_ignore_, in_flight_);
  if (outcome == Outcome::success) {
    ++successes_;
    broken_until_ = {};
    grow();
  }
  room_.notify_all();
}

void Pace::break_off() {
  const std::lock_guard lock(mutex_);
  broken_until_ = clock_.steady_now() + kBroken;
}

bool Pace::broken() const {
  const std::lock_guard lock(mutex_);
  return clock_.steady_now() < broken_until_;
}

long Pace::successes() const {
  const std::lock_guard lock(mutex_);
  return successes_;
}

int Pace::window() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(window_);
}

int Pace::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace signctl::engine
