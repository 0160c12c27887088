// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace signctl::test {

/// Environment variables from a map, and no others.
class FakeEnvironment final : public Environment {
 public:
  FakeEnvironment() = default;
  explicit FakeEnvironment(std::map<std::string, std::string> values)
      : values_(std::move(values)) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    const auto found = values_.find(std::string(name));
    return found == values_.end() || found->second.empty() ? std::nullopt
                                                           : std::optional(found->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

/// A clock that moves only when somebody sleeps. Safe to share between threads.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimePoint start) : now_(std::chrono::milliseconds(start.time_since_epoch())) {}

  [[nodiscard]] TimePoint now() const override {
    return TimePoint(std::chrono::floor<std::chrono::seconds>(now_.load()));
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(now_.load());
  }
  void sleep_for(std::chrono::milliseconds duration) override {
    for (auto now = now_.load(); !now_.compare_exchange_weak(now, now + duration);) {
    }
    if (meanwhile) {
      meanwhile();
    }
  }

  std::function<void()> meanwhile;  ///< What others do while somebody sleeps.

 private:
  std::atomic<std::chrono::milliseconds> now_;  ///< Since 1970.
};

/// Fails every request: for code that must not need the network.
class NoHttp final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    return Error{ErrorKind::network, "there is no network here: " + request.url};
  }
};

/// A world without network or variables, at 2026-11-23T12:00:00Z.
struct FakeWorld {
  FakeClock clock{TimePoint{std::chrono::seconds{1'795'435'200}}};
  FakeEnvironment environment{};
  NoHttp http{};

  [[nodiscard]] World world() { return {clock, environment, http}; }
};

}  // namespace signctl::test
