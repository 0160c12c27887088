// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/login.hpp"

#include "core/call_control.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/login_lock.hpp"
#include "providers/pkcs11/return_value.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

bool has(const Token& token, ck::Ulong flag) {
  return (token.flags & flag) != 0;
}

const Token& token_of(const OpenToken& open) {
  static const Token none;
  return open.slot.token ? *open.slot.token : none;
}

void announce(const Token& token) {
  const std::string name = "token \"" + printable(token.label) + "\"";
  if (has(token, ck::kProtectedAuthenticationPath)) {
    log_info("pkcs11: waiting for the PIN to be entered at the pin pad of " + name);
  }
  if (has(token, ck::kUserPinCountLow)) {
    log_warning("pkcs11: wrong PINs were sent to " + name + " before; few tries are left");
  }
}

Request login_request(const OpenToken& open, const Options& options, std::optional<Secret> pin) {
  Request request;
  request.operation = Operation::login;
  request.slot = open.slot.id;
  request.user = options.user;
  request.pin = std::move(pin);
  return request;
}

/// The same for all processes, and nothing that a person reads.
std::string lock_name(const Token& token) {
  constexpr std::size_t kDigits = 16;
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(identity_of(token)))).substr(0, kDigits);
}

bool has_private_key(const std::vector<Object>& objects) {
  return std::any_of(objects.begin(), objects.end(), [](const Object& object) {
    return object.kind == ObjectClass::private_key;
  });
}

}  // namespace

Result<std::optional<Secret>> pin_for(const Token& token, const Options& options) {
  if (has(token, ck::kProtectedAuthenticationPath)) {
    return std::optional<Secret>();
  }
  if (!options.pin) {
    return Error{ErrorKind::auth,
                 "token \"" + printable(token.label) + "\" wants a PIN, and none is set",
                 "set pin to env:NAME, file:PATH, exec:COMMAND or stdin"};
  }
  return options.pin;
}

Result<void> refresh(OpenToken& open, const Options& options) {
  Request request;
  request.operation = Operation::token;
  request.slot = open.slot.id;
  SIGNCTL_TRY(Reply reply, ask(*open.module.link, request, options.timeout), "reading the token");
  auto now = reply.slots.empty() ? std::optional<Token>() : std::move(reply.slots.front().token);
  if (!now || identity_of(*now) != identity_of(token_of(open))) {
    return Error{ErrorKind::provider,
                 "another token is in the slot of \"" + printable(token_of(open).label) + "\" now"};
  }
  open.slot.token = std::move(now);
  return ok();
}

Error login_error(const Reply& reply, const Token& after) {
  Error error = rv_error(reply.call, reply.rv);
  const RvClass group = class_of(reply.rv);
  const bool refused = group == RvClass::pin || group == RvClass::refused;
  error.kind = refused ? ErrorKind::auth : ErrorKind::provider;
  const std::string state = pin_state(after);
  error.message = "token \"" + printable(after.label) + "\" " +
                  (refused ? "refused the login: " : "could not log in: ") + error.message +
                  (state.empty() ? "" : "; " + state);
  if (error.hint.empty()) {
    error.hint = std::string("look at the token with the vendor's tool; ") +
                 (refused ? "" : "some drivers report a wrong PIN like this, so ") +
                 "the PIN is not sent again in this run";
  }
  // Measured with swtpm: a TPM has three session slots, and a program that was killed keeps its.
  if (reply.rv == ck::kGeneralError) {
    error.hint +=
        "; a TPM without resource manager may have no session left after a program was killed: "
        "tpm2_flushcontext --loaded-session";
  }
  return error;
}

Error lost_with_pin(Error error,
                    const Driver& driver,
                    PinLedger::Turn& turn,
                    const std::optional<Secret>& pin) {
  error.hint =
      "whether the PIN was counted is unknown, so it is not sent again in this run: look at the "
      "token with the vendor's tool before running again";
  if (!driver.hung()) {
    error.kind = ErrorKind::provider;  // A crash comes again.
    return error;
  }
  error.kind = ErrorKind::network;
  turn.unanswered(pin);
  if (CallScope* const scope = CallScope::current()) {
    scope->give_up();
  }
  return error;
}

Result<void> log_in(OpenToken& open, const Options& options, Login which) {
  PinLedger::Turn turn = PinLedger::of_this_process().take(token_of(open), options.user);
  const LockResult lock = take_login_lock(lock_name(token_of(open)), options.timeout);
  if (lock.outcome == LockOutcome::busy) {
    return Error{ErrorKind::provider,
                 "another signctl is logging in to token \"" + printable(token_of(open).label) +
                     "\" and does not come to an end",
                 "look for one that waits for a pin pad"};
  }
  SIGNCTL_CHECK(refresh(open, options), "");
  SIGNCTL_TRY(const std::optional<Secret> pin, pin_for(token_of(open), options), "");
  SIGNCTL_TRY(const PinTrust trust, turn.check(pin), "");
  if (auto objection = objection_to_login(token_of(open), options.last_try, which)) {
    return *std::move(objection);
  }
  if (which == Login::again && trust != PinTrust::accepted) {
    return Error{ErrorKind::auth, "the login was lost, and the token never accepted this PIN"};
  }
  // Most likely still logged in for another signer: then nobody is asked.
  if (trust != PinTrust::accepted || which == Login::again) {
    announce(token_of(open));
  }
  turn.sent(pin);
  auto reply = open.module.link->call(login_request(open, options, pin), options.timeout);
  if (!reply) {
    return lost_with_pin(std::move(reply).error(), *open.module.driver, turn, pin);
  }
  const bool has_reached_token = reply->call == "C_Login" && reply->rv != ck::kUserAlreadyLoggedIn;
  if (!has_reached_token) {
    if (trust == PinTrust::accepted) {
      turn.accepted(pin);
    } else {
      turn.not_looked_at(pin);
    }
    return reply->rv == ck::kUserAlreadyLoggedIn
               ? ok()
               : Result<void>(rv_error(reply->call, reply->rv).within("logging in"));
  }
  if (reply->rv != ck::kOk) {
    // Its flags tell how much this has cost; if they cannot be had, what was known has to do.
    static_cast<void>(refresh(open, options));
    return login_error(*reply, token_of(open));
  }
  turn.accepted(pin);
  return ok();
}

Result<std::vector<Object>> list_objects(OpenToken& open, const Options& options) {
  Request request;
  request.operation = Operation::objects;
  request.slot = open.slot.id;
  SIGNCTL_TRY(Reply reply,
              ask(*open.module.link, request, options.timeout),
              "listing keys and certificates");
  return std::move(reply.objects);
}

Result<Inside> enter(OpenToken& open, const Options& options) {
  Inside inside;
  const bool required = has(token_of(open), ck::kLoginRequired);
  if (required) {
    SIGNCTL_CHECK(log_in(open, options, Login::first), "");
    inside.logged_in = true;
  }
  SIGNCTL_TRY(inside.objects, list_objects(open, options), "");
  // Some tokens do not say that they want a login, and show their keys after one only.
  if (!required && options.pin && has(token_of(open), ck::kUserPinInitialized) &&
      !has_private_key(inside.objects)) {
    SIGNCTL_CHECK(log_in(open, options, Login::first), "");
    inside.logged_in = true;
    SIGNCTL_TRY(inside.objects, list_objects(open, options), "");
  }
  return inside;
}

}  // namespace signctl::providers::pkcs11
