// SPDX-License-Identifier: Apache-2.0
#include "timestamp/client.hpp"

#include "cms/timestamp_token.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "timestamp/check.hpp"
#include "timestamp/exchange.hpp"
#include "timestamp/server.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace signctl::timestamp {

namespace {

using std::chrono::milliseconds;
using Time = Server::Time;

constexpr std::size_t kNonceBytes = 16;
/// The longest pause of one timestamp before it asks a server for the third time that is not in
/// trouble; it doubles up to the first pause of the retry rules. The second time comes at once:
/// most refusals are gone with the next request.
constexpr milliseconds kBlink{20};
/// A request to a server that has an alternative is not waited for longer ...
constexpr milliseconds kPatienceWithAlternative{10'000};
/// ... and one to a server that has none not longer than this.
constexpr milliseconds kPatience{30'000};
/// The signature has been paid for: a timestamp may take so long even when the run's time is over.
constexpr milliseconds kGrace{30'000};
constexpr milliseconds kLeastPatience{100};
/// A server that refuses one timestamp while it answers others is asked so many times as often as
/// one that refuses all: by chance the same one is refused again and again.
constexpr int kMoreWhenAnswering = 5;
/// How long nobody pays for a signature after a timestamp could not be had from any server.
constexpr std::chrono::seconds kGivenUp{30};
/// How often a waiting thread looks whether something has changed; more often, at kBlink, while an
/// answer to somebody else may come any moment.
constexpr milliseconds kSlice{250};

/// A nonce without leading zeros, so that its INTEGER has one form.
Bytes make_nonce() {
  Bytes nonce = crypto::random_bytes(kNonceBytes);
  nonce[0] = static_cast<std::uint8_t>((nonce[0] & 0x7FU) | 0x40U);
  return nonce;
}

std::uint64_t dice() {
  std::uint64_t value = 0;
  for (const std::uint8_t octet : crypto::random_bytes(sizeof value)) {
    value = value << 8U | octet;
  }
  return value;
}

/// What one timestamp has met so far.
struct Attempts {
  /// One server, as this timestamp has met it.
  struct Seen {
    int asked{0};
    int troubles_before{0};
    Time not_before{};     ///< This timestamp's own pause, beside the server's.
    bool given_up{false};  ///< It answered wrongly: asking again would not help.
    bool reported{false};
  };
  std::vector<Seen> servers;
  Time deadline;
  int count{0};
  std::vector<std::string> failures;
  bool all_transient{true};
  std::string hint;
};

/// A server that may be asked at once, and for how long.
struct Turn {
  std::size_t index{};
  Time began;
  milliseconds limit{};
};

class Pool final : public Timestamper {
 public:
  Pool(Options options, World world, std::vector<Server> servers)
      : options_(std::move(options)),
        world_(world),
        servers_(std::move(servers)),
        deadline_(world.clock.steady_now() + options_.retry.deadline) {}

  Result<Stamp> stamp(const StampRequest& request) override {
    Attempts attempts = begin();
    auto made = ask_all(request, attempts);
    end(made);
    return made;
  }

  Result<void> ready() override {
    std::unique_lock lock(mutex_);
    while (!some_is_well()) {
      if (stop_requested()) {
        return Error{ErrorKind::interrupted, "stopped while no timestamp server was well"};
      }
      if (stamping_ > 0) {
        changed_.wait_for(lock, kSlice);
        continue;
      }
      if (now() < given_up_until_) {
        return none_is_well();
      }
      // Somebody has to find out whether that has passed.
      given_up_until_ = now() + kGivenUp;
      return ok();
    }
    return ok();
  }

 private:
  Result<Stamp> ask_all(const StampRequest& request, Attempts& attempts) {
    for (;;) {
      while (const auto turn = next_turn(attempts)) {
        auto token = ask(*turn, request);
        settle(attempts, *turn, token);
        if (token) {
          return Stamp{std::move(*token), servers_[turn->index].name(), attempts.count};
        }
      }
      if (!wait(attempts)) {
        return final_error(attempts);
      }
    }
  }

  void end(const Result<Stamp>& made) {
    const std::lock_guard lock(mutex_);
    --stamping_;
    if (!made) {
      given_up_until_ = now() + kGivenUp;
    }
    changed_.notify_all();
  }

  [[nodiscard]] bool some_is_well() const {
    return std::any_of(
        servers_.begin(), servers_.end(), [&](const Server& server) { return server.well(now()); });
  }

  [[nodiscard]] Error none_is_well() const {
    std::vector<std::string> failures;
    for (const Server& server : servers_) {
      failures.push_back(server.name() +
                         ", when last asked: " + without_name(server.last_failure(), server));
    }
    return {
        ErrorKind::timestamp,
        "no signature was asked for, because no timestamp server is well; " + join(failures, "; "),
        "running again is safe; a second --timestamp-url helps when one server is down"};
  }

  Attempts begin() {
    const std::lock_guard lock(mutex_);
    ++stamping_;
    Attempts attempts;
    attempts.deadline = std::max(deadline_, now() + kGrace);
    for (const Server& server : servers_) {
      attempts.servers.push_back({.troubles_before = server.troubles()});
    }
    return attempts;
  }

  [[nodiscard]] Time now() const { return world_.clock.steady_now(); }
  [[nodiscard]] bool is_late(const Attempts& attempts) const { return now() >= attempts.deadline; }

  /// Whether asking it (again) makes sense. What counts is its trouble, whoever met it: when a
  /// server is down, all who wait for it learn so together, and while it answers others it is not
  /// down.
  [[nodiscard]] bool has_chance(const Attempts& attempts, std::size_t index) const {
    const Attempts::Seen& seen = attempts.servers[index];
    const int most = std::max(options_.retry.attempts, 1);
    const Server& server = servers_[index];
    const int in_vain =
        std::min(server.troubles() - seen.troubles_before, server.troubles_in_a_row());
    return !seen.given_up && in_vain < most && seen.asked / kMoreWhenAnswering < most;
  }

  /// When this timestamp may ask it.
  [[nodiscard]] Time ready_for(const Attempts& attempts, std::size_t index) const {
    return std::max(servers_[index].ready(now()), attempts.servers[index].not_before);
  }

  /// Whether `a` is to be asked before `b`, which stands before it in the list.
  [[nodiscard]] bool overtakes(const Attempts& attempts, std::size_t a, std::size_t b) const {
    const Time present = now();
    const auto rank = [&](std::size_t index) {
      const bool has_failed = servers_[index].has_failed() || attempts.servers[index].asked > 0;
      return servers_[index].distrusted(present) ? 2 : has_failed ? 1 : 0;
    };
    return rank(a) != rank(b) ? rank(a) < rank(b)
                              : servers_[a].latency() * 2 < servers_[b].latency();
  }

  /// The best server that may be asked now; empty when none may.
  std::optional<Turn> next_turn(Attempts& attempts) {
    const std::lock_guard lock(mutex_);
    const Time present = now();
    std::optional<std::size_t> best;
    std::int64_t chances = 0;
    bool alternative = false;
    for (std::size_t i = 0; i < servers_.size() && present < attempts.deadline; ++i) {
      if (!has_chance(attempts, i)) {
        continue;
      }
      ++chances;
      if (ready_for(attempts, i) > present || servers_[i].being_tried()) {
        continue;
      }
      alternative = best.has_value();
      best = !best || overtakes(attempts, i, *best) ? i : *best;
    }
    if (!best) {
      return std::nullopt;
    }
    ++attempts.count;
    ++attempts.servers[*best].asked;
    servers_[*best].begin(present);
    // A server that hangs must leave time for the others.
    const auto left = std::chrono::duration_cast<milliseconds>(attempts.deadline - present);
    milliseconds limit = std::max(left / chances, kLeastPatience);
    limit = std::min(limit, alternative ? kPatienceWithAlternative : kPatience);
    return Turn{*best, present, limit};
  }

  Result<Bytes> ask(const Turn& turn, const StampRequest& request) {
    Expectation expected{request, crypto::hash(request.alg, request.signature), make_nonce(), {}};
    const Bytes query = cms::encode_timestamp_request(
        expected.imprint, request.alg, expected.nonce, request.policy);
    SIGNCTL_TRY(
        const Bytes response, servers_[turn.index].responder().exchange(query, turn.limit), "");
    expected.now = world_.clock.now();
    SIGNCTL_TRY(Bytes token, check_response(response, expected), "");
    if (options_.check_chain) {
      SIGNCTL_CHECK(options_.check_chain(token), "");
    }
    return token;
  }

  /// Notes how a request ended, for this timestamp and for everybody.
  void settle(Attempts& attempts, const Turn& turn, const Result<Bytes>& token) {
    const std::lock_guard lock(mutex_);
    Server& server = servers_[turn.index];
    if (token) {
      server.succeed(std::chrono::ceil<milliseconds>(now() - turn.began));
    } else {
      note(attempts, turn, token.error());
      Attempts::Seen& seen = attempts.servers[turn.index];
      const int failures = server.troubles() - seen.troubles_before + 1;
      const milliseconds longest = longest_pause(options_.retry, failures);
      server.fail(turn.began, now(), token.error(), jittered(longest, dice()));
      seen.not_before = now() + own_pause(seen);
    }
    changed_.notify_all();
  }

  /// What one timestamp waits after a failure, whoever else is served meanwhile.
  [[nodiscard]] milliseconds own_pause(const Attempts::Seen& seen) const {
    if (seen.asked < 2) {
      return milliseconds(0);
    }
    const RetryRules rules{.initial = kBlink, .max = options_.retry.initial};
    return jittered(longest_pause(rules, seen.asked - 1), dice());
  }

  void note(Attempts& attempts, const Turn& turn, const Error& error) {
    const Server& server = servers_[turn.index];
    Attempts::Seen& seen = attempts.servers[turn.index];
    const std::string line = "attempt " + std::to_string(attempts.count) + ", " + server.name() +
                             ": " + without_name(error.message, server);
    log_verbose("timestamp: " + line);
    attempts.failures.push_back(line);
    attempts.hint = error.hint.empty() ? attempts.hint : error.hint;
    seen.reported = true;
    if (!is_transient(error.kind)) {
      // One slip of a server that has been right before is not yet a lie.
      seen.given_up = !server.has_answered() || seen.asked > 1;
      attempts.all_transient = false;
    }
  }

  /// The transport's messages begin with the URL, which the line names already.
  static std::string without_name(const std::string& message, const Server& server) {
    const std::string prefix = server.name() + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
  }

  /// When the first server with a chance may be asked; empty when there is none.
  [[nodiscard]] std::optional<Time> next_ready(const Attempts& attempts) const {
    std::optional<Time> first;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (has_chance(attempts, i)) {
        const Time ready = ready_for(attempts, i);
        first = std::min(first.value_or(ready), ready);
      }
    }
    return first;
  }

  /// Waits until it may be worth looking again. False when it is not worth waiting.
  bool wait(const Attempts& attempts) {
    std::unique_lock lock(mutex_);
    const auto ready = next_ready(attempts);
    if (!ready || is_late(attempts) || *ready >= attempts.deadline || stop_requested()) {
      return false;
    }
    // Rounded up, or the server would be asked a moment too early and so not at all.
    const auto pause = std::chrono::ceil<milliseconds>(*ready - now());
    if (pause <= milliseconds(0)) {
      // Another thread is finding out whether it is well again.
      changed_.wait_for(lock, kSlice);
      return true;
    }
    const bool answer_is_due =
        std::any_of(servers_.begin(), servers_.end(), [](const Server& server) {
          return server.being_asked();
        });
    lock.unlock();
    world_.clock.sleep_for(std::min(pause, answer_is_due ? kBlink : kSlice));
    return true;
  }

  [[nodiscard]] Error final_error(Attempts& attempts) const {
    const std::lock_guard lock(mutex_);
    if (stop_requested() && !is_late(attempts)) {
      return {ErrorKind::interrupted, "stopped before a timestamp could be had"};
    }
    Error error{ErrorKind::timestamp, "no acceptable timestamp could be had"};
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const Server& server = servers_[i];
      if (!attempts.servers[i].reported && !server.last_failure().empty()) {
        attempts.failures.push_back(
            server.name() + ", when last asked: " + without_name(server.last_failure(), server));
      }
    }
    if (attempts.count == 0) {
      error.message += why_not_asked(attempts);
    }
    constexpr std::size_t kShown = 6;
    const std::size_t first =
        attempts.failures.size() > kShown ? attempts.failures.size() - kShown : 0;
    for (std::size_t i = first; i < attempts.failures.size(); ++i) {
      error.message += "; " + attempts.failures[i];
    }
    error.hint =
        !attempts.hint.empty() ? attempts.hint
        : attempts.all_transient
            ? "running again is safe; a second --timestamp-url helps when one server is down"
            : "give another server with --timestamp-url";
    return error;
  }

  [[nodiscard]] std::string why_not_asked(const Attempts& attempts) const {
    if (is_late(attempts)) {
      return "; the time allowed for this run was over before a server could be asked";
    }
    const bool asked_to_wait =
        std::all_of(servers_.begin(), servers_.end(), [&](const Server& server) {
          return server.left_alone_until() >= attempts.deadline;
        });
    return asked_to_wait
               ? "; every server asked to be left alone for longer than this run may take"
               : "; sign.timestamp.interval leaves no request for it within sign.retry.deadline";
  }

  Options options_;
  World world_;
  mutable std::mutex mutex_;  ///< Guards the servers' states, not their exchanges.
  std::condition_variable changed_;
  std::vector<Server> servers_;
  Time deadline_;
  int stamping_{0};        ///< Timestamps that are being asked for.
  Time given_up_until_{};  ///< No new signature is worth paying for until then.
};

}  // namespace

Result<std::unique_ptr<Timestamper>> make_timestamper(Options options, World world) {
  if (options.servers.empty()) {
    return Error{ErrorKind::config,
                 "no timestamp server is given",
                 "give one with --timestamp-url, or dev: for a rehearsal"};
  }
  std::vector<Server> servers;
  for (const std::string& url : options.servers) {
    SIGNCTL_TRY(auto responder, make_responder(url, options, world), "");
    servers.emplace_back(std::move(responder), options.pacing);
  }
  return std::unique_ptr<Timestamper>(
      std::make_unique<Pool>(std::move(options), world, std::move(servers)));
}

}  // namespace signctl::timestamp
