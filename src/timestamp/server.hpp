// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "timestamp/client.hpp"
#include "timestamp/exchange.hpp"

#include <signctl/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace signctl::timestamp {

/// One server of a pool, and how it has behaved. Its pool locks.
class Server {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  Server(std::unique_ptr<Responder> responder, Pacing pacing);

  [[nodiscard]] Responder& responder() const { return *responder_; }
  [[nodiscard]] const std::string& name() const { return responder_->name(); }

  /// When it may be asked next: Retry-After, back-off and the token bucket together.
  [[nodiscard]] Time ready(Time now) const;
  /// Whether it has failed since it last answered in order.
  [[nodiscard]] bool has_failed() const { return failures_ > 0; }
  /// Whether no answer in order is expected of it: then it is left alone for a while, and one
  /// request at a time finds out whether that has passed. One refusal of a server that has answered
  /// before is no more than that.
  [[nodiscard]] bool in_trouble() const { return failures_ > (has_answered() ? 1 : 0); }
  [[nodiscard]] bool being_asked() const { return in_flight_ > 0; }
  [[nodiscard]] bool being_tried() const { return in_trouble() && being_asked(); }
  [[nodiscard]] bool well(Time now) const { return !distrusted(now) && !in_trouble(); }
  /// Until when it asked to be left alone, or was put aside: without the token bucket.
  [[nodiscard]] Time left_alone_until() const { return ready_; }
  /// Whether it answered wrongly within the last minute.
  [[nodiscard]] bool distrusted(Time now) const { return now < distrusted_until_; }
  /// What a request is expected to take; a guess until there has been an answer.
  [[nodiscard]] Milliseconds latency() const { return latency_; }
  [[nodiscard]] bool has_answered() const { return answers_ > 0; }
  /// Answers in order so far, over all threads.
  [[nodiscard]] int answers() const { return answers_; }
  /// Counts the times it got into trouble or stayed there, over all threads.
  [[nodiscard]] int troubles() const { return troubles_; }
  /// The same, since it last answered in order.
  [[nodiscard]] int troubles_in_a_row() const { return failures_; }
  /// What went wrong last, for messages.
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

  /// A request goes out now.
  void begin(Time now);
  /// It came back in order after `took`.
  void succeed(Milliseconds took);
  /// It failed, begun at `began`; `pause` is what to leave it alone for if it is in trouble now,
  /// unless `error` says. Several requests that fail together are one trouble, and so is all that
  /// fails before a good answer could have come.
  void fail(Time began, Time now, const Error& error, Milliseconds pause);

 private:
  void refill(Time now);
  [[nodiscard]] bool is_same_trouble(Time began) const;

  std::unique_ptr<Responder> responder_;
  Pacing pacing_;
  double tokens_;
  Time refilled_{};
  Time ready_{};
  Time distrusted_until_{};
  Time last_trouble_{};
  Milliseconds latency_;
  int answers_{0};
  int failures_{0};  ///< Troubles since the last success.
  int troubles_{0};
  int in_flight_{0};
  std::string last_failure_;
};

}  // namespace signctl::timestamp
