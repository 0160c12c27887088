// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/aws_kms/login.hpp"
#include "providers/aws_kms/sigv4.hpp"
#include "providers/aws_kms/target.hpp"
#include "providers/common/renewing.hpp"
#include "providers/common/rest.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::aws_kms {

/// Signs requests to KMS with credentials that are renewed in time, by the service's clock once
/// that is known to differ from ours.
class KmsAuthorizer final : public Authorizer {
 public:
  KmsAuthorizer(const Clock& clock, Login login, std::string region)
      : clock_(clock),
        scope_{std::move(region), "kms"},
        credentials_(clock, login.renewal, std::move(login.fetch)) {}

  Result<void> authorize(HttpRequest& request) override;
  bool renew() override { return credentials_.renew(); }

  Result<AwsCredentials> credentials() { return credentials_.get(); }
  void set_clock_offset(std::chrono::seconds offset) { offset_ = offset.count(); }

 private:
  const Clock& clock_;
  SigningScope scope_;
  Renewing<AwsCredentials> credentials_;
  std::atomic<std::chrono::seconds::rep> offset_{0};
};

/// The KMS API. Safe to share between threads.
class KmsClient {
 public:
  KmsClient(World world, Target target, Login login);

  /// Calls an action, "Sign" for example. Credentials that have expired and a clock that is off are
  /// mended once.
  ///
  /// @errors `auth`, `config` or `provider` by what KMS says; `network` when it is busy or away.
  Result<Reply> call(std::string_view action, const Json& body) const;

  /// Whether KMS would do what is asked, which it is told not to do.
  enum class DryRun { permitted, not_understood };
  /// @errors as call(): why KMS would refuse.
  Result<DryRun> dry_run(std::string_view action, Json body) const;

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] World world() const { return world_; }
  [[nodiscard]] KmsAuthorizer& authorizer() const { return *authorizer_; }

 private:
  /// What there is to know about a refusal beside its error.
  struct Refusal {
    std::string name;  ///< "NotFoundException"
    std::optional<std::chrono::seconds> clock_offset;
  };
  Result<Reply> call(std::string_view action, const Json& body, Refusal& refusal) const;
  [[nodiscard]] Error explain(const Reply& reply, Refusal& refusal) const;

  World world_;
  Target target_;
  std::shared_ptr<KmsAuthorizer> authorizer_;
};

/// The name of an AWS error, without what stands before "#": "NotFoundException".
[[nodiscard]] std::string error_name(const Reply& reply);

}  // namespace signctl::providers::aws_kms
