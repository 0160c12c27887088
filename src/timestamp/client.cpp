// SPDX-License-Identifier: Apache-2.0
#include "timestamp/client.hpp"

#include "cms/timestamp_token.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "timestamp/check.hpp"
#include "timestamp/exchange.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace signctl::timestamp {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kNonceBytes = 16;

/// A nonce without leading zeros, so that its INTEGER has one form.
Bytes make_nonce() {
  Bytes nonce = crypto::random_bytes(kNonceBytes);
  nonce[0] = static_cast<std::uint8_t>((nonce[0] & 0x7FU) | 0x40U);
  return nonce;
}

/// One server, and how it has behaved.
struct Server {
  std::unique_ptr<Responder> responder;
  bool given_up{false};  ///< It answered wrongly: asking again would not help.
  /// Before then it does not want to be asked (Retry-After); counts for the files that follow too.
  std::chrono::steady_clock::time_point ready{};
};

class Client final : public Timestamper {
 public:
  Client(Options options, World world, std::vector<Server> servers)
      : options_(std::move(options)),
        world_(world),
        servers_(std::move(servers)),
        deadline_(world.clock.steady_now() + options_.retry.deadline) {}

  Result<Stamp> stamp(const StampRequest& request) override {
    for (Server& server : servers_) {
      server.given_up = false;
    }
    Attempts attempts;
    for (int round = 0; round < std::max(options_.retry.attempts, 1); ++round) {
      // The next server is tried at once; only a whole round without success pauses.
      for (Server& server : servers_) {
        if (server.given_up || past_deadline() || server.ready > world_.clock.steady_now()) {
          continue;
        }
        ++attempts.count;
        auto token = ask(server, request);
        if (token) {
          return Stamp{std::move(*token), server.responder->name(), attempts.count};
        }
        note(attempts, server, token.error());
      }
      if (!pause(round)) {
        break;
      }
    }
    return final_error(attempts);
  }

 private:
  /// The failures so far.
  struct Attempts {
    int count{0};
    std::vector<std::string> failures;
    bool all_transient{true};
    std::string hint;
  };

  /// What one request may take: a server that hangs must leave time for those after it.
  [[nodiscard]] milliseconds share_of(const Server& server) const {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline_ - world_.clock.steady_now());
    const auto waiting = std::count_if(servers_.data() + (&server - servers_.data()),
                                       servers_.data() + servers_.size(),
                                       [](const Server& one) { return !one.given_up; });
    return std::max(left / std::max<std::int64_t>(waiting, 1), milliseconds(100));
  }

  Result<Bytes> ask(Server& server, const StampRequest& request) {
    Expectation expected{request, crypto::hash(request.alg, request.signature), make_nonce(), {}};
    const Bytes query = cms::encode_timestamp_request(
        expected.imprint, request.alg, expected.nonce, request.policy);
    SIGNCTL_TRY(const Bytes response, server.responder->exchange(query, share_of(server)), "");
    expected.now = world_.clock.now();
    SIGNCTL_TRY(Bytes token, check_response(response, expected), "");
    if (options_.check_chain) {
      SIGNCTL_CHECK(options_.check_chain(token), "");
    }
    return token;
  }

  void note(Attempts& attempts, Server& server, const Error& error) const {
    const std::string line = "attempt " + std::to_string(attempts.count) + ", " +
                             server.responder->name() + ": " + without_name(error, server);
    log_verbose("timestamp: " + line);
    attempts.failures.push_back(line);
    attempts.hint = error.hint.empty() ? attempts.hint : error.hint;
    if (!is_transient(error.kind)) {
      server.given_up = true;
      attempts.all_transient = false;
    }
    if (error.retry_after) {
      server.ready = world_.clock.steady_now() + *error.retry_after;
    }
  }

  /// The transport's messages begin with the URL, which the line names already.
  static std::string without_name(const Error& error, const Server& server) {
    const std::string prefix = server.responder->name() + ": ";
    return error.message.starts_with(prefix) ? error.message.substr(prefix.size()) : error.message;
  }

  [[nodiscard]] bool past_deadline() const { return world_.clock.steady_now() >= deadline_; }

  /// How long until the first server may be asked again; empty when none is left.
  [[nodiscard]] std::optional<milliseconds> next_wait(int round) const {
    std::optional<milliseconds> shortest;
    const milliseconds back_off = jittered(round);
    for (const Server& server : servers_) {
      if (server.given_up) {
        continue;
      }
      // Rounded up, or the server would be asked a moment too early and so not at all.
      const auto asked = std::chrono::ceil<milliseconds>(server.ready - world_.clock.steady_now());
      const milliseconds wait = asked > milliseconds(0) ? asked : back_off;
      shortest = std::min(shortest.value_or(wait), wait);
    }
    return shortest;
  }

  /// Waits before the next round. False when there will be none.
  bool pause(int round) {
    const std::optional<milliseconds> wait = next_wait(round);
    if (!wait || round + 1 >= options_.retry.attempts || past_deadline()) {
      return false;
    }
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline_ - world_.clock.steady_now());
    if (*wait >= left) {
      return false;
    }
    world_.clock.sleep_for(*wait);
    return true;
  }

  /// Exponential back-off with full jitter: anything from nothing to the whole pause.
  [[nodiscard]] milliseconds jittered(int round) const {
    const std::int64_t doubled = options_.retry.initial.count() << std::min(round, 20);
    const std::int64_t limit = std::min<std::int64_t>(doubled, options_.retry.max.count());
    std::uint64_t dice = 0;
    for (const std::uint8_t octet : crypto::random_bytes(sizeof dice)) {
      dice = (dice << 8U) | octet;
    }
    return milliseconds(static_cast<std::int64_t>(
        dice % (static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 0)) + 1)));
  }

  [[nodiscard]] Error final_error(const Attempts& attempts) const {
    Error error{ErrorKind::timestamp, "no acceptable timestamp could be had"};
    if (attempts.count == 0) {
      error.message +=
          past_deadline()
              ? "; the time allowed for this run was over before a server could be asked"
              : "; every server asked to be left alone for longer than this run may take";
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

  Options options_;
  World world_;
  std::vector<Server> servers_;
  std::chrono::steady_clock::time_point deadline_;
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
    servers.push_back({std::move(responder)});
  }
  return std::unique_ptr<Timestamper>(
      std::make_unique<Client>(std::move(options), world, std::move(servers)));
}

}  // namespace signctl::timestamp
