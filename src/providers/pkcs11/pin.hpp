// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/message.hpp"

#include <signctl/finding.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

// PIN safety. A token locks itself after a few wrong PINs, often for good. So a PIN is sent to a
// token once; only after the token has accepted it may it be sent again, where the token asks for
// it again (a signature that wants its own login, a token that was taken out). Whatever else came
// back, or nothing at all, and it is not sent again in this process: by no retry, no thread, no
// other signer; nor is another PIN, which could be wrong as well. A user has one PIN: beside one
// that was accepted, none is sent.
namespace signctl::providers::pkcs11 {

/// Whether to log in although the token says that one more wrong PIN locks it.
enum class LastTry { refuse, allow };

/// Whether the PIN is one that the token has accepted in this process.
enum class PinTrust { untried, accepted };

/// Whether this is the first login of an account, or one more with the PIN of the first.
enum class Login { first, again };

/// Why nothing may be sent to a token in this state; empty if it may.
[[nodiscard]] std::optional<Error> objection_to_login(const Token& token,
                                                      LastTry last_try,
                                                      Login which);

/// What the token's flags say of the tries that are left: an error for a token on which signing
/// would fail, a warning for a low count, else info. Modules give flags and no numbers.
[[nodiscard]] Finding pin_finding(const Token& token, LastTry last_try);

/// "the PIN is locked" and so on, to be put behind the error of a login; empty if all is well.
[[nodiscard]] std::string pin_state(const Token& token);

/// What tells one token from another.
[[nodiscard]] std::string identity_of(const Token& token);

/// Remembers, for the life of this process, which PINs were sent to which token. Knows them by a
/// salted hash.
class PinLedger {
 public:
  static PinLedger& of_this_process();

  class Entry;

  /// The right to log in to one token. Others wait for it to go away.
  class Turn {
   public:
    /// @errors `auth` if this PIN was sent before and not accepted, if any other was, or if the
    ///         user's PIN is known to be another. None (a pin pad) counts as one. `network`, not to
    ///         be tried again in this run, if the driver hung when it had one.
    Result<PinTrust> check(const std::optional<Secret>& pin) const;
    /// Before it is sent: from here on it counts as refused.
    void sent(const std::optional<Secret>& pin);
    /// The driver hung when it had it: not sent again either, but nobody knows that it is wrong.
    void unanswered(const std::optional<Secret>& pin);
    /// The token has accepted it.
    void accepted(const std::optional<Secret>& pin);
    /// The token was logged in to already, and has not looked at it.
    void not_looked_at(const std::optional<Secret>& pin);

   private:
    friend class PinLedger;
    Turn(std::shared_ptr<Entry> entry, std::uint64_t user);
    [[nodiscard]] std::pair<std::uint64_t, Bytes> key_of(const std::optional<Secret>& pin) const;
    std::shared_ptr<Entry> entry_;
    std::uint64_t user_;
    std::unique_lock<std::mutex> lock_;
  };

  /// @param user  Who logs in (CKU_USER or one of the vendor's): each has a PIN of its own.
  [[nodiscard]] Turn take(const Token& token, std::uint64_t user);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace signctl::providers::pkcs11
