// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/esigner/account.hpp"
#include "providers/esigner/credential.hpp"
#include "providers/esigner/refusal.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace signctl::providers::esigner {

/// Has digests signed, as many with one authorization as the credential allows.
///
/// An authorization takes a one-time password, and there is one every 30 seconds. So what the
/// sessions of a run want signed meanwhile waits here, and whichever of them comes first when
/// nobody is at it asks for all: one `authorize` that names the hashes, one `signHash` with the
/// same. What it was given for that (the SAD) is used once, and never for other hashes; any
/// further try begins with another password. Safe to share between threads.
class SigningQueue {
 public:
  SigningQueue(std::shared_ptr<Client> client, Credential credential, Factors factors);
  SigningQueue(const SigningQueue&) = delete;
  SigningQueue& operator=(const SigningQueue&) = delete;
  ~SigningQueue();

  /// One session more, or less, whose digest is worth a moment's waiting for.
  void enter();
  void leave();

  /// The signature as the service gave it. `cause` tells what a refusal was about.
  Result<Bytes> sign(ByteView digest, DigestAlg alg, Cause& cause);

  [[nodiscard]] Client& client() const { return *client_; }
  [[nodiscard]] const Credential& credential() const { return credential_; }

 private:
  /// A digest that a session waits for; lives on that session's stack.
  struct Job {
    std::string hash;
    SignatureAlgorithm algorithm;
    std::optional<Result<Bytes>> result{};
    Cause cause{Cause::other};
  };
  using Batch = std::vector<Job*>;

  /// Where no password is spent and no PIN can be locked there is nothing to share or to guard.
  Result<Bytes> sign_alone(Job& job, Cause& cause);
  void lead();
  void gather() const;
  Batch take_batch();
  Result<std::vector<Bytes>> sign_batch(Batch& batch, Cause& cause);
  Result<std::vector<Bytes>> attempt(const Batch& batch,
                                     const std::string& password,
                                     Refusal& refusal);
  Result<Secret> authorize(const Json& hashes, const std::string& password, Refusal& refusal);
  [[nodiscard]] std::string clocks_text() const;

  const std::shared_ptr<Client> client_;
  const Credential credential_;
  Factors factors_;  ///< Only whoever leads touches it.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> waiting_;
  bool is_led_{false};
  std::size_t sessions_{0};
  std::atomic<std::size_t> signatures_{0};  ///< Asked for.
  std::atomic<std::size_t> authorizations_{0};
  /// A credential that was refused: nothing is asked for any more, lest it be locked.
  std::optional<Error> closed_;
};

}  // namespace signctl::providers::esigner
