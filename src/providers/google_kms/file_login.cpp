// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "providers/google_kms/external_account.hpp"
#include "providers/google_kms/token.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace signctl::providers::google_kms {
namespace {

constexpr const char* kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr const char* kWho = "Google's token service";

std::string token_url(const ProviderSettings& settings, const Json& file) {
  std::string url = settings.get("token_url");
  if (url.empty()) {
    url = text_at(file, {"token_uri"});
  }
  return url.empty() ? kTokenUrl : url;
}

Call form_call(const std::string& url, const std::map<std::string, std::string>& fields) {
  Call call;
  call.method = "POST";
  call.path = split_url(url).path;
  call.content_type = "application/x-www-form-urlencoded";
  call.body = form_body(fields);
  return call;
}

/// A service account's key file: signs its own assertions (RFC 7523).
class ServiceAccount {
 public:
  static Result<ServiceAccount> read(const ProviderSettings& settings,
                                     World world,
                                     const Json& file) {
    const std::string email = text_at(file, {"client_email"});
    if (email.empty()) {
      return Error{ErrorKind::config, "google-kms: the service account file has no client_email"};
    }
    const Secret pem(text_at(file, {"private_key"}));
    auto key = crypto::read_private_key(as_bytes(pem.reveal()), Secret());
    if (!key || key->facts().type != crypto::KeyType::rsa) {
      return Error{ErrorKind::config,
                   "google-kms: the service account file has no usable private_key",
                   "make a new key for " + printable(email) + " and use its file unchanged"};
    }
    ServiceAccount account(world, std::move(key).value());
    account.url_ = token_url(settings, file);
    SIGNCTL_TRY(account.service_, service_at(settings, kWho, account.url_, "token_uri"), "");
    account.email_ = email;
    account.key_id_ = text_at(file, {"private_key_id"});
    return account;
  }

  [[nodiscard]] const std::string& email() const { return email_; }

  Result<AccessToken> fetch() const {
    std::optional<std::chrono::seconds> ahead;
    auto token = fetch_at(world_.clock.now(), ahead);
    // An assertion from the future, or one that has expired: our clock is off, the service's
    // counts.
    constexpr std::chrono::seconds kTolerated{60};
    if (!token && token.error().kind == ErrorKind::auth && ahead &&
        std::chrono::abs(*ahead) > kTolerated) {
      return fetch_at(world_.clock.now() + *ahead, ahead);
    }
    return token;
  }

 private:
  ServiceAccount(World world, crypto::PrivateKey key) : world_(world), key_(std::move(key)) {}

  Result<AccessToken> fetch_at(TimePoint now, std::optional<std::chrono::seconds>& ahead) const {
    SIGNCTL_TRY(const Secret assertion, make_assertion(now), "signing the assertion");
    const RestClient client(world_, service_, nullptr, [&](const Reply& reply) {
      if (reply.server_time) {
        ahead = *reply.server_time - reply.received;
      }
      return explain_token(reply,
                           kWho,
                           "check that the key of " + printable(email_) +
                               " still exists and is not disabled, and the clock");
    });
    SIGNCTL_TRY(
        const Reply reply,
        client.send(form_call(url_,
                              {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                               {"assertion", std::string(assertion.reveal())}})),
        "logging in as " + printable(email_));
    return token_in(reply, kWho);
  }

  Result<Secret> make_assertion(TimePoint now) const {
    constexpr std::chrono::seconds kLife{3600};
    const auto seconds = now.time_since_epoch().count();
    Json header{{"alg", "RS256"}, {"typ", "JWT"}};
    if (!key_id_.empty()) {
      header["kid"] = key_id_;
    }
    const Json claims{{"iss", email_},
                      {"scope", kScope},
                      {"aud", url_},
                      {"iat", seconds},
                      {"exp", seconds + kLife.count()}};
    std::string text =
        to_base64url(as_bytes(header.dump())) + "." + to_base64url(as_bytes(claims.dump()));
    SIGNCTL_TRY(
        const Bytes signature,
        key_.sign_digest(crypto::hash(DigestAlg::sha256, as_bytes(text)), DigestAlg::sha256),
        "");
    text += "." + to_base64url(signature);
    return Secret(std::move(text));
  }

  World world_;
  crypto::PrivateKey key_;
  Service service_;
  std::string url_;
  std::string email_;
  std::string key_id_;
};

Result<Login> service_account_login(const ProviderSettings& settings,
                                    World world,
                                    const Json& file) {
  SIGNCTL_TRY(ServiceAccount account, ServiceAccount::read(settings, world, file), "");
  std::string description = "the service account " + printable(account.email());
  return Login{std::move(description), Renewal::possible, [account = std::move(account)] {
                 return account.fetch();
               }};
}

/// A person's login by gcloud: its refresh token is traded for access tokens (RFC 6749, 6).
Result<Login> authorized_user_login(const ProviderSettings& settings,
                                    World world,
                                    const Json& file) {
  const std::string url = token_url(settings, file);
  SIGNCTL_TRY(const Service service, service_at(settings, kWho, url, "token_uri"), "");
  const Secret secret(text_at(file, {"client_secret"}));
  const Secret refresh(text_at(file, {"refresh_token"}));
  const std::string client_id = text_at(file, {"client_id"});
  if (client_id.empty() || refresh.empty()) {
    return Error{ErrorKind::config,
                 "google-kms: the authorized_user file has no client_id or refresh_token",
                 "run `gcloud auth application-default login` again"};
  }
  const auto fetch = [=]() -> Result<AccessToken> {
    const RestClient client(world, service, nullptr, [](const Reply& reply) {
      return explain_token(reply, kWho, "run `gcloud auth application-default login` again");
    });
    SIGNCTL_TRY(const Reply reply,
                client.send(form_call(url,
                                      {{"grant_type", "refresh_token"},
                                       {"client_id", client_id},
                                       {"client_secret", std::string(secret.reveal())},
                                       {"refresh_token", std::string(refresh.reveal())}})),
                "logging in with gcloud's credentials");
    return token_in(reply, kWho);
  };
  return Login{"the user logged in to gcloud", Renewal::possible, fetch};
}

}  // namespace

Result<Login> file_login(const ProviderSettings& settings, World world, const std::string& path) {
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestSecret), "reading the Google credentials");
  const Json file = parse_json(as_text(bytes));
  const std::string type = file.is_object() ? text_at(file, {"type"}) : std::string();
  if (type == "service_account") {
    return service_account_login(settings, world, file);
  }
  if (type == "external_account") {
    return external_account_login(settings, world, file);
  }
  if (type == "authorized_user") {
    return authorized_user_login(settings, world, file);
  }
  return Error{ErrorKind::config,
               "google-kms: " + printable(path) +
                   (type.empty() ? " is no Google credentials file"
                                 : " holds credentials of type \"" + printable(type) +
                                       "\", which signctl does not know"),
               "give a file of type service_account, external_account or authorized_user"};
}

}  // namespace signctl::providers::google_kms
