// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "providers/pkcs11/message.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <optional>
#include <string>
#include <vector>

// Which of a token's keys signs, and with which certificate. No calls are made here.
namespace signctl::providers::pkcs11 {

/// What the settings say of key and certificate; empty matches everything.
struct Wanted {
  std::string key;          ///< CKA_LABEL, or CKA_ID in hexadecimal.
  std::string certificate;  ///< The same, or a SHA-1 or SHA-256 thumbprint, or the subject's CN.
  std::optional<std::string> label;  ///< `object` of the URI, of key or certificate.
  std::optional<Bytes> id;           ///< `id` of the URI.
};

/// SubjectPublicKeyInfo (DER) of a private key, as far as its public attributes, or a public key
/// with its CKA_ID, tell. Empty if they do not.
[[nodiscard]] Bytes public_key_of(const Object& key, const std::vector<Object>& objects);

/// The certificates among the objects; what cannot be parsed is left out.
[[nodiscard]] std::vector<crypto::Certificate> certificates_of(const std::vector<Object>& objects);

struct Choice {
  Object key;
  crypto::Certificate leaf;
};

/// Picks key and certificate. A certificate belongs to a key when it has its public key; where that
/// cannot be told, when it has its CKA_ID. Among several certificates of one key the newest one
/// that is valid now is taken; among several keys, the only one that has a code signing
/// certificate.
///
/// @param from_file  More certificates, for a key whose own is not on the token.
/// @errors `config` when nothing fits, or more than one key does: the message lists them.
Result<Choice> choose(const std::vector<Object>& objects,
                      const std::vector<crypto::Certificate>& from_file,
                      const Wanted& wanted,
                      TimePoint now);

/// "\"codesign\" (id 0a0b, RSA 2048)"
[[nodiscard]] std::string describe(const Object& key);

}  // namespace signctl::providers::pkcs11
