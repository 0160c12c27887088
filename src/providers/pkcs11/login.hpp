// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/pin.hpp"
#include "providers/pkcs11/token.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace signctl::providers::pkcs11 {

/// The PIN to send: none where the token has a pin pad.
///
/// @errors `auth` when the token wants one and the settings have none.
Result<std::optional<Secret>> pin_for(const Token& token, const Options& options);

/// Reads the token's flags anew.
///
/// @errors `provider` when another token is in the slot now.
Result<void> refresh(OpenToken& open, const Options& options);

/// Logs in, after all checks of PIN safety (pin.hpp). Again only with what was accepted before.
///
/// @errors `auth` when the PIN is missing, is refused, or may not be sent; as lost_with_pin() when
///         the driver fails once it has the PIN; `network` for what may pass (no session left,
///         token taken out) and has cost no try.
Result<void> log_in(OpenToken& open, const Options& options, Login which);

/// `error`, of a driver that was lost when it had the PIN, which is not sent again: `network` when
/// the driver hung, `provider` when it crashed. Nobody tries again in this run.
[[nodiscard]] Error lost_with_pin(Error error,
                                  const Driver& driver,
                                  PinLedger::Turn& turn,
                                  const std::optional<Secret>& pin);

/// The error of a C_Login, with the state that it left the PIN in: `auth` when it was refused,
/// `provider` when it failed for another reason. Never `network`.
[[nodiscard]] Error login_error(const Reply& reply, const Token& after);

/// The keys and certificates that can be seen now.
Result<std::vector<Object>> list_objects(OpenToken& open, const Options& options);

/// What can be seen once inside.
struct Inside {
  std::vector<Object> objects;
  bool logged_in{false};
};

/// Logs in where the token wants it, and lists what there is.
Result<Inside> enter(OpenToken& open, const Options& options);

}  // namespace signctl::providers::pkcs11
