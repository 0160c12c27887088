// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace signctl::providers::keylocker {

inline constexpr const char* kName = "DigiCert";
/// What KeyLocker makes with a certificate in a year. No call tells how many are left.
inline constexpr int kSignaturesAYear = 1000;

/// Puts the API key on requests, and counts those that may spend a signature: retries too, because
/// a signature whose answer was lost has been made all the same.
class KeyAuthorizer final : public Authorizer {
 public:
  explicit KeyAuthorizer(Secret key) : key_(std::move(key)) {}

  Result<void> authorize(HttpRequest& request) override;

  [[nodiscard]] int signatures_asked_for() const { return signatures_; }

 private:
  Secret key_;
  std::atomic<int> signatures_{0};
};

/// Access to Software Trust Manager's API: the key and the client certificate together. Safe to
/// share between threads.
struct Account {
  std::shared_ptr<KeyAuthorizer> authorizer;
  RestClient lookups;
  RestClient signing;                             ///< Knows what refusals of signatures mean.
  std::vector<crypto::Certificate> client_chain;  ///< Leaf first.
};

/// Makes no call.
///
/// @errors `config` for settings that are missing or wrong, among them a host that does no mutual
///         TLS; as load_client_identity().
Result<std::shared_ptr<const Account>> open_account(const ProviderSettings& settings, World world);

/// The service's own words in any of the shapes that its errors have; empty when there are none.
[[nodiscard]] std::string said_by(const Reply& reply);

/// Refusals of anything but signatures.
[[nodiscard]] Error explain_lookup(const Reply& reply);
/// Refusals of signatures.
[[nodiscard]] Error explain_signing(const Reply& reply);

/// A call below the API's base path.
[[nodiscard]] Call get(const std::string& path);

}  // namespace signctl::providers::keylocker
