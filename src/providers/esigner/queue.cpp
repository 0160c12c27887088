// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/queue.hpp"

#include "core/call_control.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace signctl::providers::esigner {
namespace {

using std::chrono::milliseconds;

/// For the other sessions' digests. Little beside the 30 seconds to the next password.
constexpr milliseconds kGatherStep{50};
constexpr int kGatherSteps = 20;

/// Fewer attempts than elsewhere: a signature whose answer was lost may have been counted.
constexpr int kAttempts = 4;
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{120'000};
/// How often signatures are asked for when each time the answer is lost.
constexpr int kMostLostAnswers = 2;
constexpr std::string_view kNotAgain =
    "it is not asked again, because it may have counted what it was asked for; see the account's "
    "usage at SSL.com before running again";

/// Which failures of a batch are worth another attempt.
class Attempts {
 public:
  /// How long to wait before the next one; empty when there should be none.
  std::optional<milliseconds> wait_after(const Error& error, Cause cause) {
    if (is_transient(error.kind)) {
      lost_ += error.may_be_done ? 1 : 0;
      // In a run whoever waits for a signature comes again, in the run's own time and number.
      const bool is_governed = CallScope::current() != nullptr && !error.may_be_done;
      if (lost_ == kMostLostAnswers || is_governed) {
        return std::nullopt;
      }
      const milliseconds wait = error.retry_after.value_or(kFirstPause * (1 << made_));
      return ++made_ < kAttempts && wait <= kLongestPause ? std::optional(wait) : std::nullopt;
    }
    if (cause == Cause::other || cause == Cause::unscanned || tried_[index(cause)]) {
      return std::nullopt;
    }
    tried_[index(cause)] = true;
    return milliseconds{0};
  }
  /// Whether SSL.com may have counted what it gave no answer to.
  [[nodiscard]] bool has_lost() const { return lost_ > 0; }

 private:
  static std::size_t index(Cause cause) { return static_cast<std::size_t>(cause); }

  int made_{0};
  int lost_{0};                  ///< Answers to what SSL.com may have counted.
  std::array<bool, 5> tried_{};  ///< What helps, helps the first time.
};

}  // namespace

SigningQueue::SigningQueue(std::shared_ptr<Client> client, Credential credential, Factors factors)
    : client_(std::move(client)),
      credential_(std::move(credential)),
      factors_(std::move(factors)) {}

SigningQueue::~SigningQueue() {
  if (signatures_ > 0) {
    log_info("esigner: asked for " + std::to_string(signatures_) +
             (signatures_ == 1 ? " signature" : " signatures") + " with " +
             std::to_string(authorizations_) +
             (authorizations_ == 1 ? " authorization" : " authorizations"));
  }
}

void SigningQueue::enter() {
  const std::lock_guard lock(mutex_);
  ++sessions_;
}

void SigningQueue::leave() {
  const std::lock_guard lock(mutex_);
  --sessions_;
}

Result<Bytes> SigningQueue::sign(ByteView digest, DigestAlg alg, Cause& cause) {
  SIGNCTL_TRY(SignatureAlgorithm algorithm, algorithm_for(credential_, alg), "");
  Job job{to_base64(digest), std::move(algorithm)};
  if (!factors_.passwords && factors_.pin.empty()) {
    return sign_alone(job, cause);
  }
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  for (;;) {
    changed_.wait(lock, [&] { return job.result || !is_led_; });
    if (job.result) {
      break;
    }
    is_led_ = true;
    lock.unlock();
    lead();
    lock.lock();
    is_led_ = false;
    changed_.notify_all();
  }
  cause = job.cause;
  return std::move(*job.result);
}

Result<Bytes> SigningQueue::sign_alone(Job& job, Cause& cause) {
  Batch batch{&job};
  SIGNCTL_TRY(auto made, sign_batch(batch, cause), "");
  return std::move(made.front());
}

void SigningQueue::lead() {
  gather();
  Batch batch;
  Cause cause = Cause::other;
  auto made = sign_batch(batch, cause);
  const std::lock_guard lock(mutex_);
  if (!made && made.error().kind == ErrorKind::auth) {
    closed_ = made.error();
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i]->cause = cause;
    batch[i]->result = made ? Result<Bytes>((*made)[i]) : Result<Bytes>(made.error());
  }
}

void SigningQueue::gather() const {
  if (!factors_.passwords) {
    return;
  }
  for (int i = 0; i < kGatherSteps; ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || waiting_.size() >= std::min(sessions_, credential_.most_at_once)) {
        return;
      }
    }
    client_->world().clock.sleep_for(kGatherStep);
  }
}

SigningQueue::Batch SigningQueue::take_batch() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  // signHash has one algorithm for all of its hashes.
  const std::string oid = waiting_.front()->algorithm.oid;
  const std::string hash_oid = waiting_.front()->algorithm.hash_oid;
  for (auto job = waiting_.begin();
       job != waiting_.end() && batch.size() < credential_.most_at_once;) {
    const bool fits = (*job)->algorithm.oid == oid && (*job)->algorithm.hash_oid == hash_oid;
    if (fits) {
      batch.push_back(*job);
    }
    job = fits ? waiting_.erase(job) : job + 1;
  }
  return batch;
}

Result<std::vector<Bytes>> SigningQueue::sign_batch(Batch& batch, Cause& cause) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      batch.insert(batch.end(), waiting_.begin(), waiting_.end());
      waiting_.clear();
      return *closed_;
    }
  }
  Attempts attempts;
  for (;;) {
    // Waits, while more digests come.
    const std::string password =
        factors_.passwords ? factors_.passwords->next(client_->ahead()) : std::string();
    if (batch.empty()) {
      batch = take_batch();
    }
    Refusal refusal;
    auto made = attempt(batch, password, refusal);
    if (made) {
      return made;
    }
    const auto wait = attempts.wait_after(made.error(), refusal.cause);
    if (!wait) {
      cause = refusal.cause;
      if (cause == Cause::otp) {
        made.error().hint += clocks_text();
      }
      if (attempts.has_lost()) {
        made.error().may_be_done = true;
        made.error().hint = kNotAgain;
      }
      return made;
    }
    log_warning(made.error().message + "; trying again with another authorization");
    if (refusal.cause == Cause::token) {
      client_->login().renew();
    }
    client_->world().clock.sleep_for(*wait);
  }
}

Result<std::vector<Bytes>> SigningQueue::attempt(const Batch& batch,
                                                 const std::string& password,
                                                 Refusal& refusal) {
  Json hashes = Json::array();
  for (const Job* job : batch) {
    hashes.push_back(job->hash);
  }
  auto authorized = authorize(hashes, password, refusal);
  if (!authorized) {
    authorized.error().may_be_done = false;  // What nobody has used is not counted.
  }
  SIGNCTL_TRY(const Secret sad, std::move(authorized), "authorizing a signature");
  const SignatureAlgorithm& algorithm = batch.front()->algorithm;
  Json body{{"credentialID", credential_.id},
            {"SAD", std::string(sad.reveal())},
            {"hash", hashes},
            {"signAlgo", algorithm.oid}};
  if (!algorithm.hash_oid.empty()) {
    body["hashAlgo"] = algorithm.hash_oid;
  }
  signatures_ += batch.size();
  SIGNCTL_TRY(const Reply reply,
              client_->spend(post_json("/csc/v0/signatures/signHash", body), refusal),
              "asking for a signature");
  const auto found = reply.json.is_object() ? reply.json.find("signatures") : reply.json.end();
  if (!reply.json.is_object() || found == reply.json.end() || !found->is_array() ||
      found->size() != batch.size()) {
    return Error{
        ErrorKind::provider, "SSL.com answered without the signatures", std::string(kNotAgain)};
  }
  std::vector<Bytes> signatures;
  for (const Json& text : *found) {
    const auto signature =
        text.is_string() ? from_any_base64(text.get<std::string>()) : std::optional<Bytes>();
    if (!signature || signature->empty()) {
      return Error{ErrorKind::provider,
                   "SSL.com answered with a signature that is not base64",
                   std::string(kNotAgain)};
    }
    signatures.push_back(*signature);
  }
  return signatures;
}

Result<Secret> SigningQueue::authorize(const Json& hashes,
                                       const std::string& password,
                                       Refusal& refusal) {
  Json body{{"credentialID", credential_.id}, {"numSignatures", hashes.size()}, {"hash", hashes}};
  if (!password.empty()) {
    body["OTP"] = password;
  }
  if (!factors_.pin.empty()) {
    body["PIN"] = std::string(factors_.pin.reveal());
  }
  ++authorizations_;
  SIGNCTL_TRY(const Reply reply,
              client_->spend(post_json("/csc/v0/credentials/authorize", body), refusal),
              "");
  Secret sad(text_at(reply.json, {"SAD"}));
  if (sad.empty()) {
    return Error{ErrorKind::provider, "SSL.com answered without an authorization"};
  }
  return sad;
}

std::string SigningQueue::clocks_text() const {
  const auto clocks = client_->clocks();
  return clocks ? "; by SSL.com's clock it is " + to_iso8601(clocks->first) +
                      ", by this machine's " + to_iso8601(clocks->second)
                : std::string();
}

}  // namespace signctl::providers::esigner
