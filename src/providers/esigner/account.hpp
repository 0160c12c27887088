// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/rest.hpp"
#include "providers/esigner/credential.hpp"
#include "providers/esigner/login.hpp"
#include "providers/esigner/refusal.hpp"
#include "providers/esigner/totp.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signctl::providers::esigner {

/// SSL.com's API, logged in, with what its clock said last. Safe to share between threads.
class Client {
 public:
  /// Makes no call.
  ///
  /// @errors `config` for settings that are missing or wrong.
  static Result<std::shared_ptr<Client>> make(const ProviderSettings& settings, World world);

  /// A call that may be repeated at will.
  Result<Reply> ask(const Call& call);

  /// One attempt of a call that spends something. A refusal is put into `refusal` too.
  Result<Reply> spend(const Call& call, Refusal& refusal);

  [[nodiscard]] LoginAuthorizer& login() const { return *login_; }
  [[nodiscard]] World world() const { return rest_.world(); }
  [[nodiscard]] const std::string& environment() const { return environment_; }
  /// How far the service's clock was ahead of ours at its last answer.
  [[nodiscard]] std::chrono::seconds ahead() const;
  /// The service's time and ours at its last answer; empty when it had no Date.
  [[nodiscard]] std::optional<std::pair<TimePoint, TimePoint>> clocks() const;

 private:
  Client(std::shared_ptr<LoginAuthorizer> login, RestClient rest, std::string environment);
  void keep_time(const Reply& reply);

  std::shared_ptr<LoginAuthorizer> login_;
  RestClient rest_;
  std::string environment_;
  mutable std::mutex mutex_;
  std::optional<std::pair<TimePoint, TimePoint>> clocks_;
};

/// The ids of the account's code signing credentials, EV's before OV's.
Result<std::vector<std::string>> list_credentials(Client& client);

/// The credential that the settings name, or the only one that there is.
///
/// @errors `config` when there is none or several, or it may not be used.
Result<Credential> find_credential(Client& client, const ProviderSettings& settings);

/// Whether the account wants every file scanned for malware before it is signed.
Result<bool> is_scan_enabled(Client& client, const std::string& credential_id);

/// SHA-256 of a whole unsigned file, and what is to be signed for it.
struct Hashes {
  Bytes of_file;
  Bytes to_sign;
};

/// Tells the service which file a signature will be for, as an account with the malware blocker
/// has to.
///
/// @errors `provider` when it knows the file as malware.
Result<void> scan(Client& client, const std::string& credential_id, const Hashes& hashes);

/// @errors `config` and `auth` for a malformed `totp_secret`.
Result<void> check_secrets(const ProviderSettings& settings);

/// What passwords the settings have for a credential.
struct Factors {
  std::optional<OneTimePasswords> passwords{};
  Secret pin{};
};

/// @errors `config` when the credential wants something that is not set; `auth` when that is
///         malformed.
Result<Factors> find_factors(const ProviderSettings& settings,
                             const Credential& credential,
                             Clock& clock);

}  // namespace signctl::providers::esigner
