// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace signctl::providers::pkcs11 {

/// What can be done about a return value (CKR_...) of a module.
enum class RvClass {
  good,
  stale_session,  ///< A new session, and logging in again where that is allowed, may help.
  token_gone,     ///< Taken out; may come back.
  device,         ///< The driver or its link is in trouble; starting it anew may help.
  pin,            ///< About the PIN: never to be tried again.
  resources,      ///< Sessions or memory are used up; may pass when others are done.
  refused,        ///< A person said no, or did not touch the token in time.
  config,         ///< Mechanism, key or slot do not fit.
  other,
};

[[nodiscard]] RvClass class_of(std::uint64_t rv);

/// "CKR_PIN_INCORRECT (0xa0)", or the number alone.
[[nodiscard]] std::string rv_text(std::uint64_t rv);

/// The error for what `call` ("C_Sign") returned.
[[nodiscard]] Error rv_error(std::string_view call, std::uint64_t rv);

}  // namespace signctl::providers::pkcs11
