// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/pin.hpp"

#include "core/call_control.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "providers/pkcs11/cryptoki.hpp"

#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

constexpr std::string_view kUnblock =
    "unblock it with the vendor's tool (PUK or security officer PIN); signctl never tries to";

bool has(const Token& token, ck::Ulong flag) {
  return (token.flags & flag) != 0;
}

std::string name_of(const Token& token) {
  return "token \"" + printable(token.label) + "\"";
}

Error driver_hung() {
  if (CallScope* const scope = CallScope::current()) {
    scope->give_up();
  }
  return {ErrorKind::network,
          "the PKCS#11 driver hung in this run when it had the PIN, so nothing more is sent to the "
          "token",
          "whether the PIN was counted is unknown: look at the token with the vendor's tool before "
          "running again"};
}

/// Not reversible without the salt, which never leaves this process.
Bytes fingerprint(const std::optional<Secret>& pin) {
  static const Bytes salt = crypto::random_bytes(32);
  if (!pin) {
    return {};
  }
  return crypto::hmac(DigestAlg::sha256, salt, as_bytes(pin->reveal()));
}

}  // namespace

std::optional<Error> objection_to_login(const Token& token, LastTry last_try, Login which) {
  const std::string name = name_of(token);
  if (has(token, ck::kUserPinLocked)) {
    return Error{ErrorKind::auth, "the PIN of " + name + " is locked", std::string(kUnblock)};
  }
  if (has(token, ck::kUserPinToBeChanged)) {
    return Error{ErrorKind::auth,
                 "the PIN of " + name + " must be changed before it can be used",
                 "change it with the vendor's tool"};
  }
  if (has(token, ck::kUserPinFinalTry) && last_try == LastTry::refuse) {
    return Error{
        ErrorKind::auth,
        "only one PIN try is left on " + name + "; nothing was sent to it",
        "make sure of the PIN, log in once with the vendor's tool, which resets the count, or "
        "set allow_final_pin_try: yes"};
  }
  // Somebody has mistyped since: ours may have been changed, so it is no longer known to be good.
  if (which == Login::again && has(token, ck::kUserPinCountLow)) {
    return Error{
        ErrorKind::auth,
        "wrong PINs were sent to " + name + " since it accepted ours; not sending it again",
        "run again once it is clear who does that"};
  }
  return std::nullopt;
}

std::string pin_state(const Token& token) {
  if (has(token, ck::kUserPinLocked)) {
    return "the PIN is locked now";
  }
  if (has(token, ck::kUserPinFinalTry)) {
    return "one try is left";
  }
  if (has(token, ck::kUserPinCountLow)) {
    return "few tries are left";
  }
  return "";
}

Finding pin_finding(const Token& token, LastTry last_try) {
  Finding finding{"pkcs11-pin-count", Severity::info, name_of(token), ""};
  if (const auto objection = objection_to_login(token, last_try, Login::first)) {
    finding.severity = Severity::error;
    finding.message = objection->message + "; " + objection->hint;
  } else if (has(token, ck::kUserPinFinalTry)) {
    finding.severity = Severity::warning;
    finding.message = "one PIN try is left, and allow_final_pin_try lets signctl use it";
  } else if (has(token, ck::kUserPinCountLow)) {
    finding.severity = Severity::warning;
    finding.message = "a wrong PIN was sent since the last good one; few tries are left";
  } else {
    finding.message = "the token reports no failed PIN tries (not every token reports them)";
  }
  return finding;
}

std::string identity_of(const Token& token) {
  // Blanks cannot begin or end these texts, but line breaks could be inside: lengths keep them
  // apart.
  std::string identity;
  for (const std::string* part : {&token.manufacturer, &token.model, &token.serial, &token.label}) {
    identity += std::to_string(part->size()) + ":" + *part;
  }
  return identity;
}

class PinLedger::Entry {
 public:
  enum class State { refused, unanswered, accepted };

  std::mutex mutex;
  std::map<std::pair<std::uint64_t, Bytes>, State> pins;  ///< By user and fingerprint.
};

PinLedger& PinLedger::of_this_process() {
  static PinLedger instance;
  return instance;
}

PinLedger::Turn PinLedger::take(const Token& token, std::uint64_t user) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& known = entries_[identity_of(token)];
    if (!known) {
      known = std::make_shared<Entry>();
    }
    entry = known;
  }
  return {std::move(entry), user};
}

PinLedger::Turn::Turn(std::shared_ptr<Entry> entry, std::uint64_t user)
    : entry_(std::move(entry)), user_(user), lock_(entry_->mutex) {}

std::pair<std::uint64_t, Bytes> PinLedger::Turn::key_of(const std::optional<Secret>& pin) const {
  return {user_, fingerprint(pin)};
}

Result<PinTrust> PinLedger::Turn::check(const std::optional<Secret>& pin) const {
  const auto known = entry_->pins.find(key_of(pin));
  if (known != entry_->pins.end() && known->second == Entry::State::accepted) {
    return PinTrust::accepted;
  }
  for (const auto& [key, state] : entry_->pins) {
    if (state == Entry::State::unanswered) {
      return driver_hung();
    }
  }
  if (known != entry_->pins.end()) {
    return Error{ErrorKind::auth,
                 "this PIN was sent to the token once and not accepted; it is not sent again",
                 "correct the PIN, then run again"};
  }
  for (const auto& [key, state] : entry_->pins) {
    if (state == Entry::State::refused) {
      return Error{ErrorKind::auth,
                   "another PIN was sent to the token in this run and not accepted; nothing more "
                   "is sent to it",
                   "correct that PIN, then run again"};
    }
    if (key.first == user_) {
      return Error{ErrorKind::auth,
                   "the token has accepted another PIN in this run; this one is not sent",
                   "give the signers that use this token the same pin"};
    }
  }
  return PinTrust::untried;
}

void PinLedger::Turn::sent(const std::optional<Secret>& pin) {
  entry_->pins[key_of(pin)] = Entry::State::refused;
}

void PinLedger::Turn::unanswered(const std::optional<Secret>& pin) {
  entry_->pins[key_of(pin)] = Entry::State::unanswered;
}

void PinLedger::Turn::accepted(const std::optional<Secret>& pin) {
  entry_->pins[key_of(pin)] = Entry::State::accepted;
}

void PinLedger::Turn::not_looked_at(const std::optional<Secret>& pin) {
  entry_->pins.erase(key_of(pin));
}

}  // namespace signctl::providers::pkcs11
