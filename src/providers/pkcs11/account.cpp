// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/account.hpp"

#include "core/call_control.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"
#include "providers/common/material.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/mechanisms.hpp"
#include "providers/pkcs11/return_value.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

/// A new session, then a new driver, then it is given up.
constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kTokenWait{10'000};
constexpr std::chrono::milliseconds kTokenLook{500};

/// RFC 8017, 9.2: what CKM_RSA_PKCS pads and signs.
Bytes digest_info(ByteView digest, DigestAlg alg) {
  return der::sequence({der::algorithm_with_null(oid::of(alg)), der::octet_string(digest)});
}

/// FIPS 186-4, 6.4: the leftmost bits of a digest that is longer than the curve's order. Modules
/// are not of one mind about who does it.
ByteView for_curve(ByteView digest, int bits) {
  const std::size_t size = (static_cast<std::size_t>(bits) + 7) / 8;
  return digest.first(std::min(digest.size(), size));
}

bool is_same_key(const Object& first, const Object& second) {
  return first.kind == second.kind && first.label == second.label && first.id == second.id &&
         first.key_type == second.key_type && first.modulus == second.modulus;
}

}  // namespace

std::vector<crypto::Certificate> chain_above(const crypto::Certificate& leaf,
                                             const std::vector<Object>& objects,
                                             const Options& options) {
  std::vector<crypto::Certificate> pool = certificates_of(objects);
  pool.insert(pool.end(), options.certificates.begin(), options.certificates.end());
  return crypto::order_chain(leaf, pool);
}

Result<std::shared_ptr<Account>> Account::open(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Options options, read_options(settings), "");
  SIGNCTL_TRY(OpenToken open, open_token(options, world), "");
  if (!open.module.driver->isolated()) {
    log_verbose(
        "pkcs11: the driver runs inside this program, so a call that hangs cannot be stopped");
  }
  SIGNCTL_TRY(const Inside inside, enter(open, options), "");
  SIGNCTL_TRY(Choice choice,
              choose(inside.objects, options.certificates, options.wanted, world.clock.now()),
              "looking for the key on token " + pkcs11::describe(open.slot));
  if (choice.leaf.key().type == crypto::KeyType::other) {
    return Error{ErrorKind::unsupported,
                 "key " + describe(choice.key) + " is neither RSA nor EC",
                 "Windows accepts no other signatures"};
  }
  if (auto objection = objection_to_limits(choice.key, choice.leaf.key().type)) {
    return *std::move(objection);
  }
  std::vector<Bytes> chain;
  for (const crypto::Certificate& each : chain_above(choice.leaf, inside.objects, options)) {
    chain.push_back(each.der());
  }
  auto account =
      std::make_shared<Account>(std::move(options), world, std::move(open), std::move(choice));
  account->chain_ = std::move(chain);
  account->logged_in_ = inside.logged_in;
  return account;
}

Account::Account(Options options, World world, OpenToken open, Choice choice)
    : options_(std::move(options)),
      world_(world),
      leaf_(std::move(choice.leaf)),
      open_(std::move(open)),
      key_(std::move(choice.key)) {
  publish();
}

Result<Bytes> Account::sign(Lane& lane, ByteView digest, DigestAlg alg) {
  SIGNCTL_TRY(const Bytes raw, sign_mending(lane, request_for(digest, alg)), "");
  return checked_signature(leaf_, digest, alg, raw);
}

Request Account::request_for(ByteView digest, DigestAlg alg) const {
  Request request;
  request.operation = Operation::sign;
  request.mechanism = needed_mechanism(leaf_.key().type);
  if (leaf_.key().type == crypto::KeyType::rsa) {
    request.data = digest_info(digest, alg);
  } else {
    const ByteView part = for_curve(digest, leaf_.key().bits);
    request.data.assign(part.begin(), part.end());
  }
  return request;
}

Result<Bytes> Account::sign_mending(Lane& lane, const Request& wanted) {
  bool had_new_session = false;
  for (int attempts = 1;; ++attempts) {
    const auto now = view();
    Attempt attempt = try_once(lane, *now, wanted);
    if (attempt.signature || attempt.remedy == Remedy::none || attempts == kAttempts) {
      return std::move(attempt.signature);
    }
    // A driver in trouble gets a new session first.
    if (attempt.remedy == Remedy::new_driver && !had_new_session && lane.link) {
      had_new_session = true;
      attempt.remedy = Remedy::new_session;
    }
    log_verbose("pkcs11: " + attempt.signature.error().message + "; trying again");
    SIGNCTL_CHECK(mend(now->epoch, attempt.remedy),
                  "recovering from: " + attempt.signature.error().message);
  }
}

std::shared_ptr<const Account::View> Account::view() {
  const std::lock_guard lock(mutex_);
  return view_;
}

void Account::publish() {
  view_ = std::make_shared<const View>(View{open_.module.driver, open_.slot, key_, epoch_});
}

Account::Attempt Account::try_once(Lane& lane, const View& now, const Request& wanted) {
  if (!lane.link || lane.driver != now.driver) {
    auto link = now.driver->connect(options_.timeout);
    if (!link) {
      return {std::move(link).error(), Remedy::new_driver};
    }
    lane = {now.driver, *std::move(link)};
  }
  Request request = wanted;
  request.slot = now.slot.id;
  request.key = now.key.handle;
  auto reply = now.key.always_authenticate ? ask_with_login(lane, now, std::move(request))
                                           : lane.link->call(request, options_.timeout);
  if (!reply) {
    // With the PIN gone along, ask_with_login() has put the link down and decided.
    const bool lost = lane.link && is_transient(reply.error().kind);
    if (lost) {
      lane.link.reset();
    }
    return {std::move(reply).error(), lost ? Remedy::new_driver : Remedy::none};
  }
  if (reply->rv == ck::kOk) {
    return {std::move(reply->signature), Remedy::none};
  }
  const bool was_login = reply->call == "C_Login";
  switch (was_login ? RvClass::pin : class_of(reply->rv)) {
    case RvClass::stale_session:
      return {explain(*reply), Remedy::new_session};
    case RvClass::token_gone:
      return {explain(*reply), Remedy::token_back};
    case RvClass::device:
      return {explain(*reply), Remedy::new_driver};
    case RvClass::pin:
      return {login_error(*reply, now.slot.token.value_or(Token{})), Remedy::none};
    case RvClass::good:
    case RvClass::resources:
    case RvClass::refused:
    case RvClass::config:
    case RvClass::other:
      break;
  }
  return {explain(*reply), Remedy::none};
}

// CKA_ALWAYS_AUTHENTICATE: the PIN goes along with each signature, one signature at a time, and
// under the same rules as any login.
Result<Reply> Account::ask_with_login(Lane& lane, const View& now, Request request) {
  const Token known = now.slot.token.value_or(Token{});
  PinLedger::Turn turn = PinLedger::of_this_process().take(known, options_.user);
  Request state;
  state.operation = Operation::token;
  state.slot = now.slot.id;
  SIGNCTL_TRY(const Reply flags, lane.link->call(state, options_.timeout), "reading the token");
  if (flags.rv != ck::kOk || flags.slots.empty() || !flags.slots.front().token) {
    return flags;
  }
  const Token token = *flags.slots.front().token;
  if (identity_of(token) != identity_of(known)) {
    return Error{ErrorKind::provider, "another token is in the slot now"};
  }
  SIGNCTL_TRY(request.pin, pin_for(token, options_), "");
  const auto checked = turn.check(request.pin);
  if (!checked) {
    lane.link.reset();  // Nothing that mending would help.
    return checked.error();
  }
  const PinTrust trust = *checked;
  const Login which = trust == PinTrust::accepted ? Login::again : Login::first;
  if (auto objection = objection_to_login(token, options_.last_try, which)) {
    return *std::move(objection);
  }
  request.context_login = true;
  turn.sent(request.pin);
  auto reply = lane.link->call(request, options_.timeout);
  if (!reply) {
    lane.link.reset();
    return lost_with_pin(std::move(reply).error(), *now.driver, turn, request.pin);
  }
  if (reply->call == "C_Login") {
    return reply;
  }
  if (reply->call == "C_Sign" || trust == PinTrust::accepted) {
    turn.accepted(request.pin);
  } else {
    turn.not_looked_at(request.pin);
  }
  return reply;
}

Error Account::explain(const Reply& reply) {
  Error error = rv_error(reply.call, reply.rv);
  if (reply.call != "C_SignInit" || class_of(reply.rv) != RvClass::config) {
    return error;
  }
  const std::lock_guard lock(mutex_);
  Request request;
  request.operation = Operation::mechanisms;
  request.slot = open_.slot.id;
  const auto offered = open_.module.link->call(request, options_.timeout);
  auto reason = offered ? objection_to_mechanisms(offered->mechanisms, leaf_.key().type)
                        : std::optional<Error>();
  if (!reason) {
    return error;
  }
  reason->message += " (" + error.message + ")";
  return *std::move(reason);
}

Result<void> Account::mend(unsigned epoch, Remedy remedy) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) {
    return ok();  // Another session has been here.
  }
  auto mended = mend_with(remedy);
  // Where not even a new session can be had, a new driver may help; a PIN that was refused is
  // final.
  if (!mended && remedy == Remedy::new_session && mended.error().kind != ErrorKind::auth) {
    mended = mend_with(Remedy::new_driver);
  }
  epoch_ += mended ? 1U : 0U;
  publish();
  return mended;
}

Result<void> Account::mend_with(Remedy remedy) {
  if (remedy == Remedy::new_driver) {
    SIGNCTL_CHECK(start_anew(), "");
  } else {
    Request drop;
    drop.operation = Operation::drop;
    SIGNCTL_TRY(const Reply dropped, open_.module.link->call(drop, options_.timeout), "");
    static_cast<void>(dropped);
  }
  if (remedy == Remedy::token_back) {
    SIGNCTL_CHECK(wait_for_token(), "");
  }
  if (logged_in_) {
    SIGNCTL_CHECK(log_in(open_, options_, Login::again), "logging in again");
  }
  return find_key_again();
}

Result<void> Account::start_anew() {
  if (restarts_left_ == 0) {
    if (CallScope* const scope = CallScope::current()) {
      scope->give_up();
    }
    if (lost_) {
      return *lost_;
    }
    // A crash comes again; whoever did not answer in time may do so another time.
    const bool hung = open_.module.driver->hung();
    return Error{
        hung ? ErrorKind::network : ErrorKind::provider,
        std::string("the PKCS#11 driver has ") + (hung ? "hung" : "failed") +
            " again after it was started anew",
        "look at the token's reader, or the link to the HSM, and update the vendor's driver"};
  }
  --restarts_left_;
  log_warning("pkcs11: the driver has failed; starting it anew");
  open_.module.driver->stop();
  Options same = options_;
  same.module = open_.module.path;
  auto found = open_token(same, world_);
  // The line to a network HSM, or its other end, may need a moment.
  for (auto waited = kTokenLook;
       waited <= kTokenWait && !found && found.error().kind == ErrorKind::provider;
       waited += kTokenLook) {
    world_.clock.sleep_for(kTokenLook);
    found = open_token(same, world_);
  }
  if (!found && found.error().kind == ErrorKind::provider) {
    lost_ = Error{ErrorKind::network,
                  "token " + describe(open_.slot) +
                      " is not there any more since the driver had to be started anew: " +
                      found.error().message,
                  "plug it in, or look at the link to the HSM, and run again; files that were "
                  "signed are finished"};
    return *lost_;
  }
  SIGNCTL_TRY(OpenToken open, std::move(found), "starting the driver anew");
  if (!open.slot.token || !open_.slot.token ||
      identity_of(*open.slot.token) != identity_of(*open_.slot.token)) {
    return Error{ErrorKind::provider, "another token is there since the driver was started anew"};
  }
  open_ = std::move(open);
  return ok();
}

Result<void> Account::wait_for_token() {
  const std::string identity = identity_of(open_.slot.token.value_or(Token{}));
  Request list;
  list.operation = Operation::slots;
  for (auto waited = std::chrono::milliseconds::zero(); waited <= kTokenWait;
       waited += kTokenLook) {
    if (waited != std::chrono::milliseconds::zero()) {
      world_.clock.sleep_for(kTokenLook);
    }
    SIGNCTL_TRY(Reply reply, open_.module.link->call(list, options_.timeout), "");
    const auto back = std::find_if(reply.slots.begin(), reply.slots.end(), [&](const Slot& slot) {
      return slot.token && identity_of(*slot.token) == identity;
    });
    if (back != reply.slots.end()) {
      open_.slot = std::move(*back);
      return ok();
    }
  }
  // Drivers of network HSMs find their way back only from the start.
  if (restarts_left_ > 0 && start_anew()) {
    return ok();
  }
  lost_ = Error{ErrorKind::network,
                "token " + describe(open_.slot) + " was taken out and has not come back",
                "plug it in and run again; files that were signed are finished"};
  return *lost_;
}

Result<void> Account::find_key_again() {
  SIGNCTL_TRY(const std::vector<Object> objects, list_objects(open_, options_), "");
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const Object& object) {
    return is_same_key(object, key_);
  });
  if (found == objects.end()) {
    return Error{ErrorKind::provider, "key " + describe(key_) + " is no longer on the token"};
  }
  key_ = *found;
  return ok();
}

}  // namespace signctl::providers::pkcs11
