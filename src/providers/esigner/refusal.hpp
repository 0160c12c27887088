// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/rest.hpp"

#include <signctl/error.hpp>

#include <string>

namespace signctl::providers::esigner {

/// What a refusal is about, where that decides what happens next.
enum class Cause {
  other,      ///< Nothing but the Error's kind matters.
  token,      ///< The access token: log in again, once.
  otp,        ///< The one-time password: try the next step's, once.
  sad,        ///< The authorization to sign: get another, once.
  unscanned,  ///< The malware scan was left out: do it, once.
};

struct Refusal {
  Error error;
  Cause cause{Cause::other};
};

/// What a CSC method means when it refuses. All refusals are `invalid_request`: the description
/// tells them apart. `environment` is "production" or "sandbox".
[[nodiscard]] Refusal read_refusal(const Reply& reply, const std::string& environment);

}  // namespace signctl::providers::esigner
