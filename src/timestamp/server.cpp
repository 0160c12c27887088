// SPDX-License-Identifier: Apache-2.0
#include "timestamp/server.hpp"

#include <algorithm>
#include <utility>

namespace signctl::timestamp {

namespace {

/// What a server is taken to need before it has answered: those that are slower than twice this let
/// the next one show what it can do.
constexpr std::chrono::milliseconds kGuess{500};
constexpr std::chrono::minutes kDistrust{1};

}  // namespace

Server::Server(std::unique_ptr<Responder> responder, Pacing pacing)
    : responder_(std::move(responder)),
      pacing_(pacing),
      tokens_(std::max(pacing.burst, 1)),
      latency_(kGuess) {}

Server::Time Server::ready(Time now) const {
  if (pacing_.interval <= Milliseconds(0)) {
    return ready_;
  }
  const double since = std::chrono::duration<double>(now - refilled_) / pacing_.interval;
  const double missing = 1.0 - (tokens_ + since);
  if (missing <= 0.0 || refilled_ == Time{}) {
    return ready_;
  }
  const auto wait = std::chrono::ceil<Milliseconds>(missing * pacing_.interval);
  return std::max(ready_, now + wait);
}

void Server::refill(Time now) {
  if (pacing_.interval <= Milliseconds(0)) {
    return;
  }
  if (refilled_ != Time{}) {
    tokens_ += std::chrono::duration<double>(now - refilled_) / pacing_.interval;
    tokens_ = std::min(tokens_, static_cast<double>(std::max(pacing_.burst, 1)));
  }
  refilled_ = now;
}

void Server::begin(Time now) {
  refill(now);
  tokens_ -= 1.0;
  ++in_flight_;
}

void Server::succeed(Milliseconds took) {
  // A moving average that forgets half of what it knew within three answers.
  latency_ = answers_ == 0 ? took : (latency_ * 4 + took) / 5;
  ++answers_;
  --in_flight_;
  failures_ = 0;
  ready_ = {};
  distrusted_until_ = {};
}

bool Server::is_same_trouble(Time began) const {
  // A refusal comes at once and an answer takes its time: until that is over the refusals in
  // between say nothing that the first did not.
  const bool may_be_busy = has_answered() && !in_trouble();
  const Milliseconds answer = may_be_busy ? 2 * latency_ : Milliseconds(0);
  return has_failed() && began < last_trouble_ + answer;
}

void Server::fail(Time began, Time now, const Error& error, Milliseconds pause) {
  --in_flight_;
  last_failure_ = error.message;
  if (!is_transient(error.kind)) {
    distrusted_until_ = now + kDistrust;
    return;
  }
  if (error.retry_after) {
    ready_ = std::max(ready_, now + *error.retry_after);
  }
  if (is_same_trouble(began)) {
    return;
  }
  ++failures_;
  ++troubles_;
  last_trouble_ = now;
  if (!error.retry_after && in_trouble()) {
    ready_ = std::max(ready_, now + pause);
  }
}

}  // namespace signctl::timestamp
