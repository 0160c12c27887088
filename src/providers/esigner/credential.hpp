// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace signctl::providers::esigner {

/// Whether a use of the credential takes a PIN or a one-time password.
enum class Presence { none, optional, required };

/// A signing credential as credentials/info describes it.
struct Credential {
  Chain chain;
  std::string id;
  std::string key_status{};          ///< "enabled", lower case; may be empty.
  std::string certificate_status{};  ///< "valid", lower case; may be empty.
  std::vector<std::string> algorithms{};
  Presence otp{Presence::none};
  Presence pin{Presence::none};
  bool is_otp_sent{false};      ///< To a person, instead of being made from a secret.
  bool is_for_browsers{false};  ///< A use is authorized on a web page.
  std::size_t most_at_once{1};  ///< Signatures that one authorization may cover.
};

/// The call that describes a credential.
[[nodiscard]] Call info_call(const std::string& id);

/// @errors `provider` for an answer without a usable certificate; `unsupported` for its key.
Result<Credential> read_credential(std::string id, const Json& info);

/// Whether the service would let the credential sign at all.
///
/// @errors `config` when key or certificate is disabled, revoked or suspended, and for one-time
///         passwords that are sent to a person.
Result<void> check_usable(const Credential& credential);

/// What signHash is told about the algorithm.
struct SignatureAlgorithm {
  std::string oid;
  std::string hash_oid;  ///< Empty where `oid` names the hash too.
};

/// @errors `unsupported` when the credential does not offer it.
Result<SignatureAlgorithm> algorithm_for(const Credential& credential, DigestAlg alg);

}  // namespace signctl::providers::esigner
