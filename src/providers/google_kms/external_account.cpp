// SPDX-License-Identifier: Apache-2.0
#include "providers/google_kms/external_account.hpp"

#include "core/file.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::providers::google_kms {
namespace {

constexpr const char* kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kWho = "Google's token exchange";

Error incomplete(const std::string& what) {
  return {ErrorKind::config,
          "google-kms: the external_account file has no " + what,
          "write it with `gcloud iam workload-identity-pools create-cred-config`"};
}

/// Lets a token or another header through that Google or the identity provider is to be shown.
class Bearer final : public Authorizer {
 public:
  explicit Bearer(Secret token) : token_(std::move(token)) {}

  Result<void> authorize(HttpRequest& request) override {
    request.headers["Authorization"] = "Bearer " + std::string(token_.reveal());
    return ok();
  }

 private:
  Secret token_;
};

/// One exchange of the other provider's token for Google's.
class Exchange {
 public:
  Exchange(ProviderSettings settings, World world, Json file)
      : settings_(std::move(settings)), world_(world), file_(std::move(file)) {}

  Result<AccessToken> run() const {
    SIGNCTL_TRY(const Secret subject, subject_token(), "fetching the identity provider's token");
    SIGNCTL_TRY(AccessToken federated, exchange(subject), "exchanging the identity token");
    const std::string url = text_at(file_, {"service_account_impersonation_url"});
    if (url.empty()) {
      return federated;
    }
    return impersonate(url, federated);
  }

 private:
  Result<Secret> subject_token() const {
    const std::string path = text_at(file_, {"credential_source", "file"});
    if (!path.empty()) {
      SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestSecret), "");
      return token_from(as_text(bytes), path);
    }
    const std::string url = text_at(file_, {"credential_source", "url"});
    SIGNCTL_TRY(Service service,
                service_at(settings_, "the identity provider", url, "credential_source.url"),
                "");
    Call call;
    call.path = split_url(url).path;
    const Json& source = file_["credential_source"];
    const auto headers = source.find("headers");
    if (headers != source.end() && headers->is_object()) {
      for (const auto& [name, value] : headers->items()) {
        call.headers[name] = value.is_string() ? value.get<std::string>() : std::string();
      }
    }
    const RestClient client(world_, service, nullptr, [](const Reply& reply) {
      return explain_token(
          reply, "the identity provider", "on GitHub the job needs permissions: id-token: write");
    });
    SIGNCTL_TRY(const Reply reply, client.send(call), "");
    return token_from(reply.text, "the identity provider's answer");
  }

  /// The token in a text, or in the field of a JSON object that `format` names.
  Result<Secret> token_from(std::string_view text, const std::string& where) const {
    std::string token(text);
    if (text_at(file_, {"credential_source", "format", "type"}) == "json") {
      const std::string field =
          text_at(file_, {"credential_source", "format", "subject_token_field_name"});
      token = text_at(parse_json(text), {field});
    }
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) {
      token.pop_back();
    }
    if (token.empty()) {
      return Error{ErrorKind::auth,
                   "there is no identity token in " + printable(where),
                   "check credential_source of the credentials file"};
    }
    return Secret(std::move(token));
  }

  Result<AccessToken> exchange(const Secret& subject) const {
    const std::string url = url_of("token_url", "https://sts.googleapis.com/v1/token");
    SIGNCTL_TRY(Service service, service_at(settings_, kWho, url, "token_url"), "");
    const std::string audience = text_at(file_, {"audience"});
    const RestClient client(world_, service, nullptr, [audience](const Reply& reply) {
      return explain_token(reply,
                           kWho,
                           "check that the pool's provider admits the token's issuer, audience and "
                           "attributes: " +
                               printable(audience));
    });
    const Json body{{"audience", audience},
                    {"grantType", "urn:ietf:params:oauth:grant-type:token-exchange"},
                    {"requestedTokenType", "urn:ietf:params:oauth:token-type:access_token"},
                    {"scope", kScope},
                    {"subjectTokenType", text_at(file_, {"subject_token_type"})},
                    {"subjectToken", subject.reveal()}};
    SIGNCTL_TRY(const Reply reply, client.send(post_json(split_url(url).path, body)), "");
    return token_in(reply, kWho);
  }

  Result<AccessToken> impersonate(const std::string& url, const AccessToken& federated) const {
    const std::string who = "the service account";
    SIGNCTL_TRY(
        Service service, service_at(settings_, who, url, "service_account_impersonation_url"), "");
    const RestClient client(
        world_, service, std::make_shared<Bearer>(federated.text), [who](const Reply& reply) {
          return explain_token(reply,
                               who,
                               "the pool's identity needs roles/iam.workloadIdentityUser on the "
                               "service account");
        });
    const Json body{{"scope", Json::array({kScope})}, {"lifetime", "3600s"}};
    SIGNCTL_TRY(const Reply reply,
                client.send(post_json(split_url(url).path, body)),
                "taking on the service account");
    return token_in(reply, who);
  }

  [[nodiscard]] std::string url_of(const char* field, const char* fallback) const {
    const std::string chosen = settings_.get("token_url");
    const std::string own = chosen.empty() ? text_at(file_, {field}) : chosen;
    return own.empty() ? fallback : own;
  }

  ProviderSettings settings_;
  World world_;
  Json file_;
};

}  // namespace

Result<Login> external_account_login(const ProviderSettings& settings,
                                     World world,
                                     const Json& file) {
  for (const char* field : {"audience", "subject_token_type"}) {
    if (text_at(file, {field}).empty()) {
      return incomplete(field);
    }
  }
  const auto source = file.find("credential_source");
  if (source == file.end() || !source->is_object()) {
    return incomplete("credential_source");
  }
  if (source->contains("executable") || source->contains("environment_id")) {
    return Error{ErrorKind::config,
                 "google-kms: the external_account file takes its token from a program or from AWS",
                 "use a credential_source with file or url"};
  }
  if (text_at(*source, {"file"}).empty() && text_at(*source, {"url"}).empty()) {
    return incomplete("credential_source.file or credential_source.url");
  }
  return Login{"workload identity federation",
               Renewal::possible,
               [exchange = Exchange(settings, world, file)] { return exchange.run(); }};
}

}  // namespace signctl::providers::google_kms
