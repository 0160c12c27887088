// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace signctl::providers {

/// Whether logging in again gives another credential than the one that was refused.
enum class Renewal { possible, pointless };

/// A credential with an end: had from a login when it is first asked for, and again shortly before
/// it expires, by one thread at a time while the others wait. `T` has a member
/// `std::optional<TimePoint> expires`. Safe to share between threads.
template <class T>
class Renewing {
 public:
  using Fetch = std::function<Result<T>()>;

  Renewing(const Clock& clock, Renewal renewal, Fetch fetch)
      : clock_(clock), renewal_(renewal), fetch_(std::move(fetch)) {}

  /// The credential in force.
  Result<T> get() {
    const std::lock_guard lock(mutex_);
    if (!held_ || (renewal_ == Renewal::possible && is_ending())) {
      auto fresh = fetch_();
      const bool old_will_do = held_ && held_->expires && clock_.now() < *held_->expires;
      if (!fresh && !(old_will_do && is_transient(fresh.error().kind))) {
        return std::move(fresh).error();
      }
      if (fresh) {
        held_ = std::move(fresh).value();
        made_ = clock_.now();
        ++generation_;
      }
    }
    used_[std::this_thread::get_id()] = generation_;
    return *held_;
  }

  /// The service refused what this thread last got: drops it, unless another thread has replaced it
  /// meanwhile. False if nothing can be won by asking again.
  bool renew() {
    return renew_if([](const T& /*held*/, std::chrono::seconds /*age*/) { return true; });
  }

  /// renew(), for services that refuse a credential that has ended and one that may not in the same
  /// words: `may_have_ended` judges the refused one by itself and its age.
  template <class MayHaveEnded>
  bool renew_if(const MayHaveEnded& may_have_ended) {
    const std::lock_guard lock(mutex_);
    if (renewal_ == Renewal::pointless) {
      return false;
    }
    const auto used = used_.find(std::this_thread::get_id());
    if (!held_ || used == used_.end() || used->second != generation_) {
      return true;
    }
    if (!may_have_ended(*held_, clock_.now() - made_)) {
      return false;
    }
    held_.reset();
    return true;
  }

 private:
  /// Five minutes ahead, but never more than a quarter of its life.
  [[nodiscard]] bool is_ending() const {
    if (!held_->expires) {
      return false;
    }
    constexpr std::chrono::seconds kAhead{300};
    const std::chrono::seconds life = *held_->expires - made_;
    return clock_.now() >= *held_->expires - std::min(kAhead, life / 4);
  }

  const Clock& clock_;
  const Renewal renewal_;
  const Fetch fetch_;
  std::mutex mutex_;
  std::optional<T> held_;
  TimePoint made_{};
  std::uint64_t generation_{0};
  std::map<std::thread::id, std::uint64_t> used_;
};

}  // namespace signctl::providers
