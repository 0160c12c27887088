// SPDX-License-Identifier: Apache-2.0
#include "session/host.hpp"

#include "core/stop.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace signctl::session {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kSaltBytes = 32;
constexpr milliseconds kLook{200};
constexpr milliseconds kFirstWords{10'000};
/// A client that is silent for so long has been forgotten by its user.
constexpr milliseconds kSilence{3'600'000};

/// A file as the client tells of it.
class ToldFile final : public FileFacts {
 public:
  ToldFile(Bytes sha256, Bytes content_digest)
      : sha256_(std::move(sha256)), content_digest_(std::move(content_digest)) {}
  [[nodiscard]] Result<Bytes> sha256() const override { return sha256_; }
  [[nodiscard]] const Bytes& content_digest() const override { return content_digest_; }

 private:
  Bytes sha256_;
  Bytes content_digest_;
};

Answer failed(Error error) {
  Answer answer;
  answer.error = std::move(error);
  return answer;
}

/// One client, until it goes.
void serve_link(Link& link, Host& host) {
  if (!link.send(encode(host.welcome()))) {
    return;
  }
  bool known = false;
  milliseconds most = kFirstWords;
  for (;;) {
    const auto message = link.receive(most);
    if (!message) {
      return;
    }
    const auto question = decode_question(*message);
    if (!question) {
      return;
    }
    Answer answer;
    switch (question->asked) {
      case Asked::hello:
        known = host.knows(question->key) && !host.stopping();
        answer = known ? Answer{}
                 : host.stopping()
                     ? failed({ErrorKind::network, "the session is ending"})
                     : failed({ErrorKind::config, "the session was started with other settings"});
        break;
      case Asked::chain:
      case Asked::sign:
      case Asked::stamp:
        answer = known ? host.answer(*question)
                       : failed({ErrorKind::config, "nobody said hello to the session"});
        break;
      case Asked::status:
      case Asked::stop:
        answer = host.answer(*question);
        break;
    }
    if (!link.send(encode(answer))) {
      return;
    }
    most = kSilence;
  }
}

}  // namespace

Bytes make_key(ByteView salt, ByteView settings) {
  return crypto::hmac(DigestAlg::sha256, salt, settings);
}

Host::Host(HostOptions options,
           std::unique_ptr<SigningSession> first,
           std::shared_ptr<Timestamper> timestamper)
    : options_(std::move(options)),
      salt_(crypto::random_bytes(kSaltBytes)),
      first_(std::move(first)),
      timestamper_(std::move(timestamper)),
      touched_(steady_clock::now()) {}

Result<void> Host::prepare() {
  SIGNCTL_TRY(const auto certificates, chain(), "looking up the certificate");
  (void)certificates;
  return ok();
}

Welcome Host::welcome() const {
  return {kProtocol, options_.version, salt_};
}

bool Host::knows(ByteView key) const {
  const Bytes right = make_key(salt_, options_.settings);
  // Hashes of a random salt: how long the comparison takes tells nothing.
  return std::equal(right.begin(), right.end(), key.begin(), key.end());
}

milliseconds Host::idle_left() const {
  return options_.idle -
         std::chrono::duration_cast<milliseconds>(steady_clock::now() - touched_.load());
}

Result<std::vector<Bytes>> Host::chain() {
  const std::lock_guard lock(mutex_);
  SIGNCTL_TRY(auto certificates, first_->expected_chain(), "");
  if (!certificates.empty() && subject_.empty()) {
    const auto leaf = crypto::Certificate::parse(certificates.front());
    subject_ = leaf ? leaf->info().subject : "";
  }
  return certificates;
}

std::unique_ptr<SigningSession> Host::take_turn() {
  std::unique_lock lock(mutex_);
  turn_.wait(lock, [this] { return busy_ < options_.ceiling; });
  ++busy_;
  if (idle_sessions_.empty()) {
    return nullptr;
  }
  auto session = std::move(idle_sessions_.back());
  idle_sessions_.pop_back();
  return session;
}

void Host::end_turn(std::unique_ptr<SigningSession> session) {
  const std::lock_guard lock(mutex_);
  --busy_;
  if (session != nullptr) {
    idle_sessions_.push_back(std::move(session));
  }
  turn_.notify_all();
}

Result<std::unique_ptr<SigningSession>> Host::another() {
  const std::lock_guard lock(mutex_);
  return first_->another();
}

Result<SignedDigest> Host::sign_in_turn(const Question& question) {
  std::unique_ptr<SigningSession> session = take_turn();
  auto made = [&]() -> Result<SignedDigest> {
    if (session == nullptr) {
      SIGNCTL_TRY(session, another(), "");
    }
    const ToldFile file(question.file_sha256.value_or(Bytes{}),
                        question.content_digest.value_or(Bytes{}));
    if (question.file_sha256 && question.content_digest) {
      SIGNCTL_CHECK(session->about_to_sign(file), "announcing the file to the signing service");
    }
    return session->sign(question.digest, question.alg);
  }();
  // One that failed may be in any state.
  end_turn(made ? std::move(session) : nullptr);
  return made;
}

Result<SignedDigest> Host::sign(const Question& question) {
  {
    const std::lock_guard lock(mutex_);
    if (options_.most_signatures > 0 && reserved_ >= options_.most_signatures) {
      return Error{ErrorKind::config,
                   "the signing session has made the " + std::to_string(options_.most_signatures) +
                       " signatures that it may make",
                   "start another one, with a larger --max-signatures if that is meant"};
    }
    ++reserved_;
  }
  auto made = sign_in_turn(question);
  if (made) {
    ++signatures_;
  } else {
    const std::lock_guard lock(mutex_);
    --reserved_;
  }
  return made;
}

Status Host::status() {
  const std::lock_guard lock(mutex_);
  return {options_.signer,
          options_.provider,
          subject_,
          process_number(),
          signatures_,
          stamps_,
          options_.most_signatures,
          std::chrono::duration_cast<std::chrono::seconds>(idle_left()).count()};
}

Answer Host::work(const Question& question) {
  Answer answer;
  if (question.asked == Asked::chain) {
    auto certificates = chain();
    if (!certificates) {
      return failed(std::move(certificates).error());
    }
    answer.chain = std::move(*certificates);
    return answer;
  }
  if (question.asked == Asked::sign) {
    auto made = sign(question);
    if (!made) {
      return failed(std::move(made).error());
    }
    answer.signature = std::move(made->signature);
    answer.chain = std::move(made->chain);
    return answer;
  }
  if (timestamper_ == nullptr) {
    return failed({ErrorKind::config, "the session was started without timestamp servers"});
  }
  auto stamp = timestamper_->stamp(question.stamp);
  if (!stamp) {
    return failed(std::move(stamp).error());
  }
  ++stamps_;
  answer.stamp = std::move(*stamp);
  return answer;
}

Answer Host::answer(const Question& question) {
  if (question.asked == Asked::stop) {
    wait_until_done();
  }
  if (question.asked == Asked::status || question.asked == Asked::stop) {
    Answer answer;
    answer.status = status();
    return answer;
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      return failed({ErrorKind::network, "the signing session is ending"});
    }
    ++under_way_;
  }
  touched_ = steady_clock::now();
  Answer answer = work(question);
  touched_ = steady_clock::now();
  const std::lock_guard lock(mutex_);
  --under_way_;
  turn_.notify_all();
  return answer;
}

void Host::wait_until_done() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  turn_.wait(lock, [this] { return under_way_ == 0; });
}

void serve(Listener& listener, Host& host) {
  std::mutex mutex;
  std::condition_variable gone;
  std::size_t clients = 0;
  while (!host.stopping() && !stop_requested() && host.idle_left() > milliseconds(0)) {
    std::shared_ptr<Link> link = listener.accept(std::min(kLook, host.idle_left()));
    if (link == nullptr) {
      continue;
    }
    {
      const std::lock_guard lock(mutex);
      ++clients;
    }
    std::thread([&, link] {
      serve_link(*link, host);
      const std::lock_guard lock(mutex);
      --clients;
      gone.notify_all();
    }).detach();
  }
  // What is under way is waited for; clients that only stay connected are not.
  host.wait_until_done();
  request_stop();
  std::unique_lock lock(mutex);
  gone.wait(lock, [&] { return clients == 0; });
}

}  // namespace signctl::session
