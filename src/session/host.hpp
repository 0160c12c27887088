// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session/link.hpp"
#include "session/wire.hpp"

#include <signctl/provider.hpp>
#include <signctl/timestamper.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace signctl::session {

/// What a session is made of.
struct HostOptions {
  std::string signer;
  std::string provider;
  std::string version;
  Bytes settings;                    ///< What a client must hold as well; never leaves the process.
  std::size_t ceiling{1};            ///< Most signatures at a time.
  std::size_t most_signatures{};     ///< 0: no limit.
  std::chrono::milliseconds idle{};  ///< How long it lives when nobody asks.
};

/// Signs for clients on one login and one chain. Safe to share between threads.
class Host {
 public:
  /// @param first        Logged in.
  /// @param timestamper  May be null.
  Host(HostOptions options,
       std::unique_ptr<SigningSession> first,
       std::shared_ptr<Timestamper> timestamper);

  /// Looks the chain up, so that a session that has begun can sign.
  Result<void> prepare();

  [[nodiscard]] Welcome welcome() const;
  /// Whether a client holds what this session was started with.
  [[nodiscard]] bool knows(ByteView key) const;
  [[nodiscard]] Answer answer(const Question& question);

  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] std::chrono::milliseconds idle_left() const;
  /// Waits until nothing is under way any more.
  void wait_until_done();

 private:
  [[nodiscard]] Answer work(const Question& question);
  Result<std::vector<Bytes>> chain();
  Result<SignedDigest> sign(const Question& question);
  /// Waits until one more may sign; null when it needs a session of its own.
  std::unique_ptr<SigningSession> take_turn();
  void end_turn(std::unique_ptr<SigningSession> session);
  Result<std::unique_ptr<SigningSession>> another();
  Result<SignedDigest> sign_in_turn(const Question& question);
  [[nodiscard]] Status status();

  HostOptions options_;
  Bytes salt_;
  std::mutex mutex_;  ///< Of what follows.
  std::condition_variable turn_;
  std::unique_ptr<SigningSession> first_;
  std::vector<std::unique_ptr<SigningSession>> idle_sessions_;
  std::size_t busy_{0};
  std::size_t under_way_{0};  ///< Questions that are being worked on.
  std::size_t reserved_{0};   ///< Signatures made or being made.
  std::string subject_;
  std::shared_ptr<Timestamper> timestamper_;
  std::atomic<std::size_t> signatures_{0};
  std::atomic<std::size_t> stamps_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::chrono::steady_clock::time_point> touched_;
};

/// Answers until it is told to stop, nobody has asked for its idle time, or somebody asked the
/// process to stop; then waits for what is under way.
void serve(Listener& listener, Host& host);

/// The key under which a client shows what it would sign with.
[[nodiscard]] Bytes make_key(ByteView salt, ByteView settings);

}  // namespace signctl::session
