// SPDX-License-Identifier: Apache-2.0
#include "engine/signer.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "policy/identity.hpp"

#include <algorithm>
#include <utility>

namespace signctl::engine {

namespace {

using std::chrono::milliseconds;

/// A certificate that lives shorter is one of many for the same identity.
constexpr std::chrono::days kShortLife{32};

std::uint64_t dice() {
  std::uint64_t value = 0;
  for (const std::uint8_t octet : crypto::random_bytes(sizeof value)) {
    value = value << 8U | octet;
  }
  return value;
}

/// What a thread holds: it hands everything to the signer.
class SharedSession final : public SigningSession, public KeepsOperations {
 public:
  explicit SharedSession(Signer& signer) : signer_(signer) {}

  Result<std::vector<Bytes>> expected_chain() override {
    if (going_ahead_) {
      return std::vector<Bytes>{};
    }
    SIGNCTL_TRY(Signer::Expectation expected, signer_.expect(), "");
    going_ahead_ = std::move(expected.going_ahead);
    return std::move(expected.chain);
  }
  Result<void> about_to_sign(const FileFacts& file) override {
    // Announced by the session that signs, which is only known then.
    announced_.file = &file;
    return ok();
  }
  void keep_operation_in(OperationNote& note) override { announced_.note = &note; }
  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    auto made = signer_.sign(std::exchange(announced_, {}), digest, alg);
    going_ahead_ = {};
    return made;
  }
  Result<std::unique_ptr<SigningSession>> another() override { return signer_.session(); }

 private:
  Signer& signer_;
  Announcement announced_;
  std::unique_lock<std::mutex> going_ahead_;
};

/// Whether the service has counted the signature before, and it is only to be fetched.
bool is_paid(const Announcement& announced) {
  return announced.note != nullptr && !announced.note->noted().empty();
}

Result<SignedDigest> sign_in(SigningSession& session,
                             const Announcement& announced,
                             ByteView digest,
                             DigestAlg alg) {
  if (announced.file != nullptr) {
    SIGNCTL_CHECK(session.about_to_sign(*announced.file),
                  "announcing the file to the signing service");
  }
  auto* const keeper = dynamic_cast<KeepsOperations*>(&session);
  if (announced.note != nullptr && keeper != nullptr) {
    keeper->keep_operation_in(*announced.note);
  }
  return session.sign(digest, alg);
}

}  // namespace

std::string signer_identity(const std::string& provider,
                            const std::string& settings,
                            const CertificateInfo* leaf) {
  std::string text = provider + "\n" + settings + "\n";
  if (leaf != nullptr) {
    text += leaf->not_after - leaf->not_before < kShortLife ? leaf->subject : leaf->sha256_hex;
  }
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text)));
}

Signer::Signer(SignerOptions options, Clock& clock, const RetryRules& rules, Pace::Time deadline)
    : options_(std::move(options)), pace_(clock, rules, options_.ceiling, deadline) {}

Result<void> Signer::open() {
  const std::lock_guard lock(mutex_);
  if (!first_) {
    const CallScope scope(pace_);
    SIGNCTL_TRY(first_,
                options_.open(),
                "opening signer \"" + options_.name + "\" (" + options_.provider + ")");
  }
  return ok();
}

Result<void> Signer::open_as_fallback(const IdentityRule& identity) {
  SIGNCTL_CHECK(open(), "");
  SIGNCTL_TRY(const auto chain, expected_chain(), "looking up the certificate");
  ChainInfo info;
  for (const Bytes& der : chain) {
    SIGNCTL_TRY(const auto certificate, crypto::Certificate::parse(der), "reading the certificate");
    info.certificates.push_back(certificate.info());
  }
  // Where the certificate comes with the signature, the gate alone can tell.
  const auto mismatches =
      chain.empty() ? std::vector<std::string>{} : identity_mismatches(info, identity);
  if (!mismatches.empty()) {
    return Error{ErrorKind::config,
                 "the fallback signer \"" + options_.name +
                     "\" is not who gate.identity wants: " + join(mismatches, "; "),
                 "a fallback must satisfy the same gate as the first signer"};
  }
  return ok();
}

Result<std::vector<Bytes>> Signer::expected_chain() {
  SIGNCTL_CHECK(open(), "");
  const std::lock_guard lock(mutex_);
  const CallScope scope(pace_);
  return first_->expected_chain();
}

Result<Signer::Expectation> Signer::expect() {
  Expectation expected;
  SIGNCTL_TRY(expected.chain, expected_chain(), "");
  if (!expected.chain.empty() || signatures_ > 0) {
    return expected;
  }
  expected.going_ahead = std::unique_lock(ahead_);
  // Somebody else may have signed meanwhile.
  SIGNCTL_TRY(expected.chain, expected_chain(), "");
  if (!expected.chain.empty() || signatures_ > 0) {
    expected.going_ahead = {};
  }
  return expected;
}

Result<std::string> Signer::identity() {
  SIGNCTL_TRY(const auto chain, expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return signer_identity(options_.provider, options_.settings, nullptr);
  }
  SIGNCTL_TRY(const auto leaf, crypto::Certificate::parse(chain.front()), "");
  const CertificateInfo& info = leaf.info();
  return signer_identity(options_.provider, options_.settings, &info);
}

Result<std::unique_ptr<SigningSession>> Signer::take_session() {
  SIGNCTL_CHECK(open(), "");
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    return first_->another();
  }
  auto session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void Signer::give_back(std::unique_ptr<SigningSession> session) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

Result<SignedDigest> Signer::sign_once(const Announcement& announced,
                                       ByteView digest,
                                       DigestAlg alg) {
  SIGNCTL_TRY(auto session, take_session(), "");
  auto made = sign_in(*session, announced, digest, alg);
  if (made) {
    give_back(std::move(session));
    ++signatures_;
  }
  return made;
}

Result<void> Signer::admit(bool counts) {
  if (admit_) {
    SIGNCTL_CHECK(admit_(), "");
  }
  if (counts && admitted_.fetch_add(1) >= *options_.quota) {
    --admitted_;
    return Error{ErrorKind::provider,
                 "signer \"" + options_.name + "\" may make no more than " +
                     std::to_string(*options_.quota) + " signatures",
                 "limits.quota in the config says so; the files that are not signed yet keep their "
                 "old bytes"};
  }
  return ok();
}

Result<SignedDigest> Signer::sign(const Announcement& announced, ByteView digest, DigestAlg alg) {
  const bool counts = options_.quota && !is_paid(announced);
  long seen = pace_.successes();
  for (int tries = 0;;) {
    CallScope scope(pace_);
    SIGNCTL_CHECK(pace_.enter(), "waiting for signer \"" + options_.name + "\"");
    // Asked only now: it may have been a long wait.
    const auto admitted = admit(counts);
    auto made =
        admitted ? sign_once(announced, digest, alg) : Result<SignedDigest>(admitted.error());
    if (admitted && !made && counts) {
      --admitted_;
    }
    pace_.leave(made ? Pace::Outcome::success : Pace::Outcome::failure);
    if (made || !admitted || !is_transient(made.error().kind)) {
      return made;
    }
    Error error = std::move(made).error();
    // Services tried over HTTP have been tried again and again when they fail; a token has not.
    if (scope.troubles() == 0) {
      scope.on_trouble(error);
    }
    // Where the service signs for others it is well, and only busy: the attempts begin anew, within
    // the time that the run may take.
    const long by_now = pace_.successes();
    tries = std::exchange(seen, by_now) == by_now ? tries + scope.troubles() : 1;
    if (!try_again(error, tries)) {
      return error;
    }
  }
}

bool Signer::try_again(const Error& error, int tries) {
  const CallControl::Rules rules = pace_.rules();
  const auto longest = longest_pause({rules.attempts, rules.initial, rules.max, {}}, tries);
  const auto pause = error.retry_after.value_or(jittered(longest, dice()));
  // Asked for once more already where that is done at all (Call::counted).
  const bool may_cost_again = options_.billable && error.may_be_done;
  if (may_cost_again || tries >= rules.attempts || pause > pace_.time_left()) {
    pace_.break_off();
    return false;
  }
  log_warning(error.message + "; trying again (attempt " + std::to_string(tries + 1) + " of " +
              std::to_string(rules.attempts) + ")");
  return pace_.wait(pause);
}

std::unique_ptr<SigningSession> Signer::session() {
  return std::make_unique<SharedSession>(*this);
}

}  // namespace signctl::engine
