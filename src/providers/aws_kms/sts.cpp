// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/sts.hpp"

#include "core/text.hpp"
#include "providers/common/rest.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace signctl::providers::aws_kms {
namespace {

constexpr const char* kVersion = "2011-06-15";

class Signer final : public Authorizer {
 public:
  Signer(const Clock& clock, AwsCredentials credentials, std::string region)
      : clock_(clock), credentials_(std::move(credentials)), scope_{std::move(region), "sts"} {}

  Result<void> authorize(HttpRequest& request) override {
    sign_request(request, credentials_, scope_, clock_.now());
    return ok();
  }

 private:
  const Clock& clock_;
  AwsCredentials credentials_;
  SigningScope scope_;
};

bool is_transient_code(std::string_view code) {
  return code == "IDPCommunicationError" || code == "Throttling" || code == "ThrottlingException" ||
         code == "RequestLimitExceeded";
}

/// What a person can do about a refusal of STS.
std::string hint_for(std::string_view code, const std::string& access_hint) {
  if (code == "AccessDenied") {
    return access_hint;
  }
  if (code == "ExpiredTokenException" || code == "ExpiredToken") {
    return "the token is too old; have the pipeline hand out a new one";
  }
  if (code == "InvalidIdentityToken") {
    return "check that the issuer of the token is an identity provider of this AWS account";
  }
  if (code == "IDPRejectedClaim") {
    return "the identity provider no longer vouches for the token";
  }
  if (code == "RegionDisabledException") {
    return "switch STS on in this region, or set sts_endpoint to that of another one";
  }
  if (code == "SignatureDoesNotMatch") {
    return "check the secret access key, and the clock of this machine";
  }
  return "check the role's ARN and the credentials";
}

Error explain(const Reply& reply, const std::string& action, const std::string& access_hint) {
  const std::string code = xml_text(reply.text, "Code");
  const std::string detail = printable(without_request(xml_text(reply.text, "Message")));
  Error error = refusal_of(reply, "AWS STS", code.empty() ? detail : code + ": " + detail);
  if (error.kind == ErrorKind::network) {
    return error;
  }
  error.kind = is_transient_code(code) ? ErrorKind::network : ErrorKind::auth;
  error.message = action + " was refused (" + std::to_string(reply.status) +
                  (code.empty() ? "" : ", " + printable(code)) +
                  (detail.empty() ? ")" : "): " + detail);
  error.hint = hint_for(code, access_hint);
  return error;
}

Call form_call(const std::map<std::string, std::string>& fields) {
  Call call;
  call.method = "POST";
  call.path = "/";
  call.content_type = "application/x-www-form-urlencoded";
  call.body = form_body(fields);
  return call;
}

Result<AwsCredentials> credentials_in(const std::string& xml) {
  AwsCredentials credentials;
  credentials.access_key_id = xml_text(xml, "AccessKeyId");
  credentials.secret_access_key = Secret(xml_text(xml, "SecretAccessKey"));
  credentials.session_token = Secret(xml_text(xml, "SessionToken"));
  credentials.expires = parse_aws_time(xml_text(xml, "Expiration"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      credentials.session_token.empty()) {
    return Error{ErrorKind::provider, "AWS STS answered without credentials"};
  }
  return credentials;
}

/// A token's claims that trust policies are written about; they are no secrets.
std::string claims_hint(const Secret& token) {
  const std::string_view text = token.reveal();
  const std::size_t first = text.find('.');
  const std::size_t second = first == text.npos ? text.npos : text.find('.', first + 1);
  std::string hint = "the role's trust policy must admit the token's claims";
  if (second == text.npos) {
    return hint;
  }
  const auto payload = from_any_base64(text.substr(first + 1, second - first - 1));
  const Json claims = payload ? parse_json(as_text(*payload)) : Json();
  for (const char* name : {"iss", "sub", "aud"}) {
    const std::string value = text_at(claims, {name});
    if (!value.empty()) {
      hint += std::string(", ") + name + " \"" + printable(value) + "\"";
    }
  }
  return hint;
}

std::map<std::string, std::string> role_fields(const RoleRequest& role, const char* action) {
  std::map<std::string, std::string> fields{{"Action", action},
                                            {"Version", kVersion},
                                            {"RoleArn", role.role_arn},
                                            {"RoleSessionName", role.session_name}};
  if (!role.duration_seconds.empty()) {
    fields["DurationSeconds"] = role.duration_seconds;
  }
  if (!role.external_id.empty()) {
    fields["ExternalId"] = role.external_id;
  }
  return fields;
}

/// XML's five named entities; STS writes no others.
std::string unescaped(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}}};
  std::string plain;
  while (!text.empty()) {
    std::size_t taken = 1;
    char found = text.front();
    for (const auto& [entity, character] : kEntities) {
      if (text.starts_with(entity)) {
        taken = entity.size();
        found = character;
      }
    }
    plain += found;
    text.remove_prefix(taken);
  }
  return plain;
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">";
  const std::string close = "</" + std::string(tag) + ">";
  const std::size_t begin = xml.find(open);
  if (begin == xml.npos) {
    return {};
  }
  const std::string_view rest = xml.substr(begin + open.size());
  const std::size_t end = rest.find(close);
  return end == rest.npos ? std::string() : unescaped(rest.substr(0, end));
}

std::optional<TimePoint> parse_aws_time(std::string_view text) {
  constexpr std::size_t kToSeconds = 19;  // 2026-11-23T10:41:54
  if (text.size() <= kToSeconds) {
    return std::nullopt;
  }
  std::string_view zone = text.substr(kToSeconds);
  if (zone.front() == '.') {
    zone = zone.substr(std::min(zone.size(), zone.find_first_not_of("0123456789", 1)));
  }
  if (zone != "Z" && zone != "+00:00" && zone != "+0000") {
    return std::nullopt;
  }
  return from_iso8601(std::string(text.substr(0, kToSeconds)) + "Z");
}

Result<AwsCredentials> assume_with_web_identity(World world,
                                                const Target& target,
                                                const RoleRequest& role,
                                                const Secret& token) {
  const std::string hint = claims_hint(token);
  const RestClient client(world, target.sts, nullptr, [hint](const Reply& reply) {
    return explain(reply, "AssumeRoleWithWebIdentity", hint);
  });
  auto fields = role_fields(role, "AssumeRoleWithWebIdentity");
  fields["WebIdentityToken"] = std::string(token.reveal());
  SIGNCTL_TRY(const Reply reply,
              client.send(form_call(fields)),
              "taking on the role " + printable(role.role_arn));
  return credentials_in(reply.text);
}

Result<AwsCredentials> assume_role(World world,
                                   const Target& target,
                                   const RoleRequest& role,
                                   const AwsCredentials& source) {
  const RestClient client(world,
                          target.sts,
                          std::make_shared<Signer>(world.clock, source, target.region),
                          [](const Reply& reply) {
                            return explain(reply,
                                           "AssumeRole",
                                           "the role's trust policy must admit these credentials, "
                                           "and they need sts:AssumeRole on it");
                          });
  SIGNCTL_TRY(const Reply reply,
              client.send(form_call(role_fields(role, "AssumeRole"))),
              "taking on the role " + printable(role.role_arn));
  return credentials_in(reply.text);
}

Result<std::string> caller_arn(World world,
                               const Target& target,
                               const AwsCredentials& credentials) {
  const RestClient client(
      world,
      target.sts,
      std::make_shared<Signer>(world.clock, credentials, target.region),
      [](const Reply& reply) { return explain(reply, "GetCallerIdentity", ""); });
  SIGNCTL_TRY(const Reply reply,
              client.send(form_call({{"Action", "GetCallerIdentity"}, {"Version", kVersion}})),
              "");
  return xml_text(reply.text, "Arn");
}

}  // namespace signctl::providers::aws_kms
