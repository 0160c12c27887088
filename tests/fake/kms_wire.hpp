// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"
#include "fake/personality.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the key services' personalities share. Strict where clients are tolerant, and written apart
// from the clients' code, so that the two can disagree.
namespace signctl::fake {

/// Standard base64 with padding and nothing else; no line breaks.
[[nodiscard]] std::optional<Bytes> strict_base64(std::string_view text);

/// The fields of application/x-www-form-urlencoded; empty when a name is there twice.
[[nodiscard]] std::optional<std::map<std::string, std::string>> form_fields(std::string_view body);

/// The first field of an object that is not among `known`; empty when there is none.
[[nodiscard]] std::string unknown_field(const Json& body,
                                        std::initializer_list<std::string_view> known);

/// The claims of a JWT that was signed by RS256 with the key of `signer`; empty for any other.
[[nodiscard]] std::optional<Json> verified_claims(std::string_view jwt,
                                                  const crypto::Certificate& signer);

/// A JWT signed by RS256.
[[nodiscard]] std::string make_jwt(const Json& claims, const crypto::PrivateKey& key);

/// A certificate's public key as PEM.
[[nodiscard]] std::string public_key_pem(const crypto::Certificate& certificate);

/// Unguessable text: the id of an operation, for example.
[[nodiscard]] std::string random_text(std::string_view prefix);
/// The same for what nobody else may see: an access token, for example.
[[nodiscard]] std::string new_secret(std::string_view prefix);
/// Every new_secret() and JWT of this process: what no output of a client may hold.
[[nodiscard]] std::vector<std::string> secrets_given_out();

}  // namespace signctl::fake
