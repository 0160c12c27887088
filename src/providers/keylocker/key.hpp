// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/signing_key.hpp"
#include "providers/keylocker/account.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::keylocker {

/// A key pair and the certificate that was issued for it.
struct KeyPair {
  std::string id;
  std::string alias;
  std::string kind;               ///< "PRODUCTION key in HSM", as far as the service says.
  bool limited{false};            ///< Some users may sign with it, and others not.
  std::optional<bool> is_mine{};  ///< Whether the API key's user may sign with it.
  std::string status{};           ///< "ONLINE" or "OFFLINE"; empty when it was not told.
  Json account;                   ///< Goes back to the service as it came.
  Chain chain;
  std::optional<TimePoint> server_time{};
  TimePoint received{};
};

/// Whether `text` is a UUID: anything less strict would take the alias "cafe" for an id.
[[nodiscard]] bool is_id(std::string_view text);

/// The hexadecimal digits of a SHA-1 or SHA-256 thumbprint in lower case, from text as people copy
/// it: with colons, blanks, or the invisible mark in front that Windows' dialog has. Empty for
/// anything else.
[[nodiscard]] std::string thumbprint_in(std::string_view text);

/// What settings `key` and `certificate` name. Asks for the certificate first, because it names its
/// key pair; a key pair alone is given its default or longest-lived active certificate.
///
/// @errors `config` when neither is set, when there is no such thing, or they do not go together.
Result<KeyPair> find_key_pair(const Account& account, const ProviderSettings& settings);

/// @errors `unsupported` for a certificate whose key signs nothing for Windows.
Result<std::shared_ptr<SigningKey>> make_key(std::shared_ptr<const Account> account, KeyPair pair);

/// Opens the key: looks it up, and so finds refused credentials.
Result<std::shared_ptr<SigningKey>> open_key(const ProviderSettings& settings, World world);

}  // namespace signctl::providers::keylocker
