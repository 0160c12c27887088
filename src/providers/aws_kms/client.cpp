// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/client.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

/// How an error of KMS is to be taken.
struct Meaning {
  std::string_view name;
  ErrorKind kind;
  std::string_view hint;
};

constexpr std::string_view kStateHint = "look at the key's state and kind in the KMS console";

// AWS answers throttling with 400, so names decide and not the status.
constexpr std::array<Meaning, 27> kMeanings{{
    {"ThrottlingException", ErrorKind::network, ""},
    {"LimitExceededException", ErrorKind::network, ""},
    {"KMSInternalException", ErrorKind::network, ""},
    {"DependencyTimeoutException", ErrorKind::network, ""},
    {"KeyUnavailableException", ErrorKind::network, ""},
    {"ServiceUnavailable", ErrorKind::network, ""},
    {"ServiceUnavailableException", ErrorKind::network, ""},
    {"InternalFailure", ErrorKind::network, ""},
    {"ExpiredTokenException", ErrorKind::auth, "get new temporary credentials"},
    {"RequestExpired", ErrorKind::auth, "check the clock of this machine"},
    {"UnrecognizedClientException",
     ErrorKind::auth,
     "check the access key id and the session token; temporary credentials need both"},
    {"InvalidClientTokenId", ErrorKind::auth, "check the access key id and the session token"},
    {"MissingAuthenticationToken", ErrorKind::auth, "check the credentials"},
    {"MissingAuthenticationTokenException", ErrorKind::auth, "check the credentials"},
    {"IncompleteSignature", ErrorKind::auth, "check the access key id for stray characters"},
    {"IncompleteSignatureException",
     ErrorKind::auth,
     "check the access key id for stray characters"},
    {"InvalidSignatureException", ErrorKind::auth, "check the secret access key"},
    {"SignatureDoesNotMatch", ErrorKind::auth, "check the secret access key"},
    {"AccessDeniedException",
     ErrorKind::auth,
     "the identity needs kms:Sign and kms:GetPublicKey, in its policy and in the key's policy"},
    {"InvalidArnException", ErrorKind::config, "check the key's ARN"},
    {"ValidationException", ErrorKind::config, "check key_id"},
    {"InvalidGrantTokenException", ErrorKind::config, "check key_id"},
    {"DisabledException", ErrorKind::provider, kStateHint},
    {"KMSInvalidStateException", ErrorKind::provider, kStateHint},
    {"InvalidKeyUsageException",
     ErrorKind::config,
     "the key must be asymmetric with usage SIGN_VERIFY"},
    {"UnsupportedOperationException",
     ErrorKind::config,
     "the key must be asymmetric with usage SIGN_VERIFY"},
    {"KMSInvalidSignatureException", ErrorKind::provider, ""},
}};

const Meaning* meaning_of(std::string_view name) {
  const auto found =
      std::ranges::find_if(kMeanings, [&](const Meaning& entry) { return entry.name == name; });
  return found == kMeanings.end() ? nullptr : &*found;
}

std::string detail_of(const Reply& reply) {
  const std::string lower = text_at(reply.json, {"message"});
  return printable(without_request(lower.empty() ? text_at(reply.json, {"Message"}) : lower));
}

bool is_about_the_clock(std::string_view name, std::string_view detail) {
  return name == "RequestExpired" || detail.find("Signature expired") != detail.npos ||
         detail.find("not yet current") != detail.npos;
}

}  // namespace

std::string error_name(const Reply& reply) {
  std::string name = text_at(reply.json, {"__type"});
  if (name.empty()) {
    const auto header = reply.headers.find("x-amzn-errortype");
    name = header == reply.headers.end() ? "" : header->second;
  }
  name = name.substr(name.find('#') == name.npos ? 0 : name.find('#') + 1);
  return name.substr(0, name.find(':'));
}

Result<void> KmsAuthorizer::authorize(HttpRequest& request) {
  SIGNCTL_TRY(const AwsCredentials credentials, credentials_.get(), "logging in to AWS");
  sign_request(request, credentials, scope_, clock_.now() + std::chrono::seconds{offset_.load()});
  return ok();
}

KmsClient::KmsClient(World world, Target target, Login login)
    : world_(world),
      target_(std::move(target)),
      authorizer_(std::make_shared<KmsAuthorizer>(world.clock, std::move(login), target_.region)) {}

Error KmsClient::explain(const Reply& reply, Refusal& refusal) const {
  refusal.name = error_name(reply);
  const std::string detail = detail_of(reply);
  const std::string name = printable(refusal.name);
  Error error = refusal_of(
      reply, "AWS KMS", name.empty() || detail.empty() ? name + detail : name + ": " + detail);
  if (refusal.name == "NotFoundException") {
    error.kind = ErrorKind::config;
    error.message =
        "key " + printable(target_.key_id) + " not found in " + target_.region + " (" + name + ")";
    error.hint = "check key_id, the account of the credentials, and above all the region";
    return error;
  }
  if (reply.status == 404) {
    error.kind = ErrorKind::config;
    error.hint = "check endpoint and region";
  }
  if (const Meaning* meaning = meaning_of(refusal.name)) {
    error.kind = meaning->kind;
    error.hint = std::string(meaning->hint);
  }
  if (error.kind == ErrorKind::auth && is_about_the_clock(refusal.name, detail) &&
      reply.server_time) {
    refusal.clock_offset = *reply.server_time - reply.received;
    error.hint = "the clock of this machine differs from that of AWS; set it";
  }
  return error;
}

Result<Reply> KmsClient::call(std::string_view action, const Json& body, Refusal& refusal) const {
  Call call = post_json("/", body);
  call.content_type = "application/x-amz-json-1.1";
  call.counted = action == "Sign" && !body.contains("DryRun");
  call.headers["X-Amz-Target"] = "TrentService." + std::string(action);
  const RestClient client(world_, target_.kms, authorizer_, [&](const Reply& reply) {
    return explain(reply, refusal);
  });
  bool clock_set = false;
  bool renewed = false;
  while (true) {
    refusal = {};
    auto reply = client.send(call);
    if (!reply && refusal.clock_offset && !clock_set) {
      authorizer_->set_clock_offset(*refusal.clock_offset);
      clock_set = true;
      continue;
    }
    if (!reply && refusal.name == "ExpiredTokenException" && !renewed && authorizer_->renew()) {
      renewed = true;
      continue;
    }
    return reply;
  }
}

Result<Reply> KmsClient::call(std::string_view action, const Json& body) const {
  Refusal refusal;
  return call(action, body, refusal);
}

Result<KmsClient::DryRun> KmsClient::dry_run(std::string_view action, Json body) const {
  body["DryRun"] = true;
  Refusal refusal;
  const auto reply = call(action, body, refusal);
  if (reply) {
    return DryRun::not_understood;
  }
  if (refusal.name == "DryRunOperationException") {
    return DryRun::permitted;
  }
  return reply.error();
}

}  // namespace signctl::providers::aws_kms
