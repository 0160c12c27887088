// SPDX-License-Identifier: Apache-2.0
#include "session/proxy.hpp"

#include "core/log.hpp"
#include "core/path.hpp"
#include "session/host.hpp"

#include <filesystem>
#include <mutex>
#include <utility>

namespace signctl::session {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHello{10'000};
/// Longer than any retrying in the session takes.
constexpr milliseconds kAnswer{1'800'000};

/// Of a session that had been asked for a signature.
Error lost_signature(Error error) {
  error.may_be_done = true;
  error.hint =
      "the session has gone while it signed, and the service may have counted a signature whose "
      "answer was lost; look at the service's own records before running again";
  return error;
}

class ProxySession final : public SigningSession {
 public:
  ProxySession(std::unique_ptr<Link> link, SessionMaker next)
      : link_(std::move(link)), next_(std::move(next)) {}

  Result<std::vector<Bytes>> expected_chain() override {
    Question question;
    question.asked = Asked::chain;
    SIGNCTL_TRY(Answer answer, ask(*link_, question), "asking the signing session");
    return std::move(answer.chain);
  }

  Result<void> about_to_sign(const FileFacts& file) override {
    SIGNCTL_TRY(file_sha256_, file.sha256(), "");
    content_digest_ = file.content_digest();
    return ok();
  }

  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    Question question;
    question.asked = Asked::sign;
    question.digest.assign(digest.begin(), digest.end());
    question.alg = alg;
    question.file_sha256 = std::exchange(file_sha256_, std::nullopt);
    question.content_digest = std::exchange(content_digest_, std::nullopt);
    SIGNCTL_TRY(Answer answer, ask(*link_, question), "asking the signing session");
    return SignedDigest{std::move(answer.signature), std::move(answer.chain)};
  }

  Result<std::unique_ptr<SigningSession>> another() override { return next_(); }

 private:
  std::unique_ptr<Link> link_;
  SessionMaker next_;
  std::optional<Bytes> file_sha256_;
  std::optional<Bytes> content_digest_;
};

/// Makes sessions for one run: by the background process while it lives, by the run itself from
/// then on.
class Maker : public std::enable_shared_from_this<Maker> {
 public:
  Maker(Address address, SessionMaker make)
      : address_(std::move(address)), make_(std::move(make)) {}

  Result<std::unique_ptr<SigningSession>> operator()() {
    const std::lock_guard lock(mutex_);
    if (own_ == nullptr) {
      SIGNCTL_TRY(auto link, say_hello(address_), "");
      if (link != nullptr) {
        log_verbose("signing by the session that was started before");
        was_there_ = true;
        std::unique_ptr<SigningSession> session = std::make_unique<ProxySession>(
            std::move(link), [self = shared_from_this()] { return (*self)(); });
        return session;
      }
      if (was_there_) {
        log_warning("the signing session has ended; logging in here");
      }
      SIGNCTL_TRY(own_, make_(), "");
      return own_->another();
    }
    return own_->another();
  }

 private:
  Address address_;
  SessionMaker make_;
  std::mutex mutex_;
  bool was_there_{false};
  std::unique_ptr<SigningSession> own_;
};

class ProxyTimestamper final : public Timestamper {
 public:
  ProxyTimestamper(Address address, std::unique_ptr<Timestamper> own)
      : address_(std::move(address)), own_(std::move(own)) {}

  Result<Stamp> stamp(const StampRequest& request) override {
    const auto link = say_hello(address_);
    if (!link || *link == nullptr) {
      return own_->stamp(request);
    }
    Question question;
    question.asked = Asked::stamp;
    question.stamp = request;
    auto answer = ask(**link, question);
    if (!answer) {
      // A timestamp costs nothing: what the session could not get is tried here as well.
      log_verbose("the signing session has no timestamp: " + answer.error().message);
      return own_->stamp(request);
    }
    return std::move(answer->stamp);
  }

 private:
  Address address_;
  std::unique_ptr<Timestamper> own_;
};

}  // namespace

bool is_there(const Address& address) {
  std::error_code code;
  return std::filesystem::exists(std::filesystem::symlink_status(to_path(address.path), code));
}

Result<std::unique_ptr<Link>> say_hello(const Address& address) {
  SIGNCTL_TRY(auto link, connect(address.path), "");
  if (link == nullptr) {
    return link;
  }
  const auto words = link->receive(kHello);
  const auto welcome = words ? decode_welcome(*words) : Result<Welcome>(words.error());
  if (!welcome || welcome->protocol != kProtocol || welcome->version != address.version) {
    log_verbose("the signing session is of another version of signctl");
    return std::unique_ptr<Link>();
  }
  Question hello;
  hello.asked = Asked::hello;
  hello.key = make_key(welcome->salt, address.settings);
  if (const auto answer = ask(*link, hello); !answer) {
    log_verbose("the signing session is not used: " + answer.error().message);
    return std::unique_ptr<Link>();
  }
  return link;
}

Result<Answer> ask(Link& link, const Question& question) {
  SIGNCTL_CHECK(link.send(encode(question)), "");
  auto message = link.receive(kAnswer);
  if (!message) {
    return message.error().may_be_done && question.asked == Asked::sign
               ? lost_signature(std::move(message).error())
               : std::move(message).error();
  }
  auto answer = decode_answer(*message);
  if (!answer) {
    Error error{ErrorKind::network, answer.error().message};
    return question.asked == Asked::sign ? lost_signature(std::move(error)) : error;
  }
  if (answer->error) {
    return *std::move(answer->error);
  }
  return answer;
}

SessionMaker through(Address address, SessionMaker make) {
  const auto maker = std::make_shared<Maker>(std::move(address), std::move(make));
  return [maker] { return (*maker)(); };
}

std::unique_ptr<Timestamper> through(Address address, std::unique_ptr<Timestamper> own) {
  return std::make_unique<ProxyTimestamper>(std::move(address), std::move(own));
}

}  // namespace signctl::session
