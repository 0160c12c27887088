// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pace.hpp"

#include <signctl/keeps_operations.hpp>
#include <signctl/policy.hpp>
#include <signctl/provider.hpp>
#include <signctl/report.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace signctl::engine {

/// What a signer is made from.
struct SignerOptions {
  std::string name;      ///< As in the config.
  std::string provider;  ///< "trusted-signing"
  /// Tells this signer's key from any other's: the provider and what is not secret in its settings.
  std::string settings;
  bool billable{false};
  int ceiling{1};                      ///< Most signatures at a time.
  std::optional<std::size_t> quota{};  ///< Most signatures of the run; empty for no limit.
  /// Logs in. Called when the signer is first needed.
  std::function<Result<std::unique_ptr<SigningSession>>()> open;
};

/// What the session that signs is told beforehand. Either may be null.
struct Announcement {
  const FileFacts* file{nullptr};
  OperationNote* note{nullptr};
};

/// Names a signer with its certificate, for journals and caches: SHA-256 in hex. The same for the
/// same key in every run. Services that change their certificate within the month are named by its
/// subject.
///
/// @param leaf  Null where the certificate comes with the signature.
[[nodiscard]] std::string signer_identity(const std::string& provider,
                                          const std::string& settings,
                                          const CertificateInfo* leaf);

/// One signer of a run: one login, one chain, as many sessions as signatures are under way. Safe to
/// share between threads.
class Signer {
 public:
  Signer(SignerOptions options, Clock& clock, const RetryRules& rules, Pace::Time deadline);

  /// From here on `admit` is asked before each signature whether it may be paid for; its error is
  /// that of sign().
  void admit_by(std::function<Result<void>()> admit) { admit_ = std::move(admit); }

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const std::string& provider() const { return options_.provider; }
  [[nodiscard]] bool billable() const { return options_.billable; }
  [[nodiscard]] Pace& pace() { return pace_; }
  /// How many signatures it has made in this run.
  [[nodiscard]] std::size_t signatures() const { return signatures_; }

  /// Logs in, unless that has been done.
  Result<void> open();

  /// Logs in and makes sure that its certificate, where that is known without signing, is of the
  /// wanted identity.
  ///
  /// @errors `config` when it is not.
  Result<void> open_as_fallback(const IdentityRule& identity);

  /// The chain that the next signature is expected to carry.
  Result<std::vector<Bytes>> expected_chain();

  /// The same for a thread that is about to sign. Where the chain comes with the first signature
  /// only, one thread goes ahead: it gets nothing and a lock, to be held until it has signed. The
  /// others wait, and then know what the gate will be shown.
  struct Expectation {
    std::vector<Bytes> chain;
    std::unique_lock<std::mutex> going_ahead;
  };
  Result<Expectation> expect();

  /// signer_identity() of this one.
  Result<std::string> identity();

  /// Signs at the pace that the service bears, and tries again what may pass.
  Result<SignedDigest> sign(const Announcement& announced, ByteView digest, DigestAlg alg);

  /// A session of one thread that signs by this signer. Borrows it.
  std::unique_ptr<SigningSession> session();

 private:
  Result<std::unique_ptr<SigningSession>> take_session();
  void give_back(std::unique_ptr<SigningSession> session);
  /// Whether to, after the pause that this takes.
  bool try_again(const Error& error, int tries);
  /// Whether one more signature may be had; if it counts, it does so until taken back.
  Result<void> admit(bool counts);
  Result<SignedDigest> sign_once(const Announcement& announced, ByteView digest, DigestAlg alg);

  SignerOptions options_;
  std::function<Result<void>()> admit_;
  Pace pace_;
  std::mutex ahead_;  ///< Held by the thread that signs first. Taken before mutex_.
  std::mutex mutex_;  ///< Guards first_ and idle_.
  /// Signs nothing: the others are made from it, and it knows the chain.
  std::unique_ptr<SigningSession> first_;
  std::vector<std::unique_ptr<SigningSession>> idle_;
  std::atomic<std::size_t> signatures_{0};
  std::atomic<std::size_t> admitted_{0};  ///< Signatures made and under way.
};

}  // namespace signctl::engine
