// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "providers/pkcs11/message.hpp"

#include <signctl/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::providers::pkcs11 {

/// Whether a mechanism signs with RSA or EC keys.
[[nodiscard]] bool is_signing_mechanism(std::uint64_t type);

/// "CKM_RSA_PKCS"; empty for what is no signing mechanism.
[[nodiscard]] std::string_view mechanism_name(std::uint64_t type);

/// The mechanism that takes a digest and makes what Authenticode takes.
[[nodiscard]] std::uint64_t needed_mechanism(crypto::KeyType key);

/// Why a token cannot sign with such a key: what it lists for it instead of what is needed. Nothing
/// when it lists that, or nothing at all for such keys.
[[nodiscard]] std::optional<Error> objection_to_mechanisms(
    const std::vector<MechanismFacts>& listed, crypto::KeyType key);

/// Why a key that is limited to some mechanisms (CKA_ALLOWED_MECHANISMS) cannot sign.
[[nodiscard]] std::optional<Error> objection_to_limits(const Object& key, crypto::KeyType type);

}  // namespace signctl::providers::pkcs11
