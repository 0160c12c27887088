// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/diagnose.hpp"
#include "providers/aws_kms/key.hpp"
#include "providers/common/settings.hpp"

#include <signctl/provider.hpp>

#include <array>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

constexpr std::array kSettings{
    SettingSpec{.key = "key_id",
                .required = true,
                .help = "Key by ARN, id or alias",
                .example = "alias/codesign"},
    SettingSpec{.key = "region",
                .help = "AWS region of the key; not needed when key_id is an ARN",
                .example = "eu-central-1",
                .environment = "AWS_REGION"},
    SettingSpec{.key = "chain",
                .kind = SettingKind::path,
                .required = true,
                .help = "Certificate of the key and its issuers (PEM, DER or PKCS#7)",
                .example = "codesign.pem"},
    SettingSpec{.key = "auth",
                .help = "auto, access-key, profile, web-identity, github, container or instance",
                .example = "auto"},
    SettingSpec{.key = "access_key_id",
                .help = "Access key id, with secret_access_key",
                .example = "AKIAIOSFODNN7EXAMPLE",
                .environment = "AWS_ACCESS_KEY_ID"},
    SettingSpec{.key = "secret_access_key",
                .kind = SettingKind::secret,
                .help = "Secret access key",
                .example = "env:AWS_SECRET_ACCESS_KEY",
                .environment = "AWS_SECRET_ACCESS_KEY"},
    SettingSpec{.key = "session_token",
                .kind = SettingKind::secret,
                .help = "Session token, for temporary access keys",
                .example = "env:AWS_SESSION_TOKEN",
                .environment = "AWS_SESSION_TOKEN"},
    SettingSpec{.key = "profile",
                .help = "Profile of AWS's shared config and credentials files",
                .example = "release",
                .environment = "AWS_PROFILE"},
    SettingSpec{.key = "role_arn",
                .help = "Role to take on with an identity token",
                .example = "arn:aws:iam::111122223333:role/codesign",
                .environment = "AWS_ROLE_ARN"},
    SettingSpec{.key = "role_session_name",
                .help = "Name of the session in AWS's logs",
                .example = "signctl",
                .environment = "AWS_ROLE_SESSION_NAME"},
    SettingSpec{.key = "web_identity_token_file",
                .kind = SettingKind::path,
                .help = "File with the identity token",
                .example = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
                .environment = "AWS_WEB_IDENTITY_TOKEN_FILE"},
    SettingSpec{.key = "endpoint",
                .help = "URL of KMS, when it is not the region's public one",
                .example = "https://kms.eu-central-1.amazonaws.com",
                .environment = "AWS_ENDPOINT_URL_KMS"},
    SettingSpec{.key = "sts_endpoint",
                .help = "URL of STS, when it is not the region's public one",
                .example = "https://sts.eu-central-1.amazonaws.com",
                .environment = "AWS_ENDPOINT_URL_STS"},
    kMaxParallel,
    kTimeout,
    kCaFile,
};

class AwsKms final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "aws-kms"; }
  [[nodiscard]] std::span<const std::string_view> aliases() const override { return {}; }
  [[nodiscard]] std::string_view title() const override {
    return "AWS Key Management Service, with the certificate from a file";
  }
  [[nodiscard]] std::span<const SettingSpec> settings() const override { return kSettings; }
  [[nodiscard]] ProviderTraits traits() const override { return {.billable = true}; }

  Result<std::unique_ptr<SigningSession>> open(const ProviderSettings& settings,
                                               World world) const override {
    SIGNCTL_TRY(auto key, open_key(settings, world), "opening provider \"aws-kms\"");
    return make_session(std::move(key));
  }

  [[nodiscard]] Examination examine(const ProviderSettings& settings, World world) const override {
    return aws_kms::examine(settings, world);
  }
};

}  // namespace

[[nodiscard]] const Provider& provider();

const Provider& provider() {
  static const AwsKms instance;
  return instance;
}

}  // namespace signctl::providers::aws_kms
