// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/message.hpp"

#include <optional>
#include <string>

namespace signctl::providers::pkcs11 {

/// A padded text without its padding of blanks and NULs.
template <std::size_t N>
[[nodiscard]] std::string unpadded(const std::array<char, N>& padded) {
  const std::string text(padded.data(), N);
  const std::size_t last = text.find_last_not_of(std::string_view(" \0", 2));
  return last == std::string::npos ? std::string() : text.substr(0, last + 1);
}

[[nodiscard]] std::string version_text(ck::Version version);

/// C_GetTokenInfo of one slot.
ck::Rv read_token(const ck::Functions& functions, ck::Slot slot, std::optional<Token>& token);

/// Slots and their tokens, empty slots included.
[[nodiscard]] Reply read_slots(const ck::Functions& functions);

/// The mechanisms that concern signing.
[[nodiscard]] Reply read_mechanisms(const ck::Functions& functions, ck::Slot slot);

/// Certificates, public and private keys, as far as the session can see them.
[[nodiscard]] Reply read_objects(const ck::Functions& functions, ck::Session session);

}  // namespace signctl::providers::pkcs11
