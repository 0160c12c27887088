// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::esigner {

/// The secret that one-time passwords are made from, as `totp_secret` spells it. `format` is
/// "base64", "base32" or, to be guessed from the letters, "auto" or nothing.
///
/// @errors `config` for another format; `auth` when it is not what it should be.
Result<Secret> decode_totp_secret(const Secret& text, std::string_view format);

/// Number of the 30-second step that a time is in (RFC 6238, 4.2).
[[nodiscard]] std::uint64_t totp_step(TimePoint time);

/// The password of a step: HMAC-SHA-1, six digits (RFC 6238).
[[nodiscard]] std::string totp_code(const Secret& key, std::uint64_t step);

/// Hands out one-time passwords by the service's clock, each step's at most once. Not for several
/// threads at a time.
class OneTimePasswords {
 public:
  OneTimePasswords(Secret key, Clock& clock) : key_(std::move(key)), clock_(clock) {}

  /// The password of a step that none was taken of yet; waits for the next step if need be.
  /// `ahead` is how far the service's clock is ahead of ours.
  [[nodiscard]] std::string next(std::chrono::seconds ahead);

 private:
  Secret key_;
  Clock& clock_;
  std::optional<std::uint64_t> last_;
};

}  // namespace signctl::providers::esigner
