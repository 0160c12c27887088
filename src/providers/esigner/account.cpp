// SPDX-License-Identifier: Apache-2.0
#include "providers/esigner/account.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace signctl::providers::esigner {
namespace {

/// More pages than anybody has credentials for; a server that goes in circles ends here.
constexpr int kMostPages = 20;
constexpr std::chrono::seconds kNoticeableSkew{5};

/// The credentials of one kind: "EVCS" or "OVCS". A service without that kind may answer 400.
Result<std::vector<std::string>> list_kind(Client& client, const std::string& kind) {
  std::vector<std::string> ids;
  std::string page;
  for (int i = 0; i < kMostPages; ++i) {
    Json body{{"clientData", kind}};
    if (!page.empty()) {
      body["pageToken"] = page;
    }
    auto reply = client.ask(post_json("/csc/v0/credentials/list", body));
    if (!reply && reply.error().kind == ErrorKind::provider) {
      log_debug("esigner: no credentials of kind " + kind + ": " + reply.error().message);
      return ids;
    }
    SIGNCTL_TRY(const Reply answer, std::move(reply), "listing the credentials");
    const auto found = answer.json.find("credentialIDs");
    if (!answer.json.is_object() || found == answer.json.end() || !found->is_array()) {
      return Error{ErrorKind::provider, "SSL.com answered without a list of credentials"};
    }
    for (const Json& id : *found) {
      if (id.is_string()) {
        ids.push_back(id.get<std::string>());
      }
    }
    page = text_at(answer.json, {"nextPageToken"});
    if (page.empty()) {
      break;
    }
  }
  return ids;
}

bool is_true(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

Client::Client(std::shared_ptr<LoginAuthorizer> login, RestClient rest, std::string environment)
    : login_(std::move(login)), rest_(std::move(rest)), environment_(std::move(environment)) {}

Result<std::shared_ptr<Client>> Client::make(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Place place, find_place(settings), "");
  SIGNCTL_TRY(auto login, make_login(settings, world, place), "");
  const std::string environment = place.environment;
  RestClient rest(world, std::move(place.api), login, [environment](const Reply& reply) {
    return read_refusal(reply, environment).error;
  });
  return std::shared_ptr<Client>(new Client(std::move(login), std::move(rest), environment));
}

Result<Reply> Client::ask(const Call& call) {
  SIGNCTL_TRY(Reply reply, rest_.send(call), "");
  keep_time(reply);
  return reply;
}

Result<Reply> Client::spend(const Call& call, Refusal& refusal) {
  refusal.cause = Cause::other;
  SIGNCTL_TRY(Reply reply, rest_.send_once(call), "");
  keep_time(reply);
  if (reply.ok()) {
    return reply;
  }
  refusal = read_refusal(reply, environment_);
  refusal.error.may_be_done = may_be_carried_out(reply);
  return refusal.error;
}

void Client::keep_time(const Reply& reply) {
  if (!reply.server_time) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!clocks_ && std::chrono::abs(*reply.server_time - reply.received) > kNoticeableSkew) {
    log_warning("esigner: this machine's clock (" + to_iso8601(reply.received) +
                ") is not SSL.com's (" + to_iso8601(*reply.server_time) +
                "); one-time passwords are made by SSL.com's");
  }
  clocks_.emplace(*reply.server_time, reply.received);
}

std::chrono::seconds Client::ahead() const {
  const auto both = clocks();
  return both ? both->first - both->second : std::chrono::seconds{0};
}

std::optional<std::pair<TimePoint, TimePoint>> Client::clocks() const {
  const std::lock_guard lock(mutex_);
  return clocks_;
}

Result<std::vector<std::string>> list_credentials(Client& client) {
  SIGNCTL_TRY(std::vector<std::string> ids, list_kind(client, "EVCS"), "");
  SIGNCTL_TRY(const std::vector<std::string> more, list_kind(client, "OVCS"), "");
  for (const std::string& id : more) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      ids.push_back(id);
    }
  }
  return ids;
}

Result<Credential> find_credential(Client& client, const ProviderSettings& settings) {
  std::string id = settings.get("credential_id");
  if (id.empty()) {
    SIGNCTL_TRY(const auto ids, list_credentials(client), "");
    if (ids.empty()) {
      return Error{ErrorKind::config,
                   "the account has no code signing credential in the " + client.environment() +
                       " environment",
                   "is it an account of the other environment, or is the order not completed?"};
    }
    if (ids.size() > 1) {
      return Error{ErrorKind::config,
                   "the account has " + std::to_string(ids.size()) + " code signing credentials",
                   "set credential_id to one of " + printable(join(ids, ", "))};
    }
    id = ids.front();
  }
  SIGNCTL_TRY(
      const Reply reply, client.ask(info_call(id)), "looking up credential " + printable(id));
  SIGNCTL_TRY(Credential credential, read_credential(std::move(id), reply.json), "");
  SIGNCTL_CHECK(check_usable(credential), "");
  return credential;
}

Result<bool> is_scan_enabled(Client& client, const std::string& credential_id) {
  auto reply = client.ask(post_json("/scan/settings", {{"credential_id", credential_id}}));
  // Before there was a scan, there was no such page; a service that wants one says so later.
  if (!reply && reply.error().kind == ErrorKind::config) {
    return false;
  }
  SIGNCTL_TRY(const Reply answer, std::move(reply), "asking whether files are scanned");
  if (!answer.json.is_object()) {
    return Error{ErrorKind::provider, "SSL.com did not say whether files are scanned"};
  }
  return is_true(answer.json, "malware_scan_enabled");
}

Result<void> scan(Client& client, const std::string& credential_id, const Hashes& hashes) {
  const Json body{{"credential_id", credential_id},
                  {"hash_to_scan", to_base64(hashes.of_file)},
                  {"hash_to_sign", to_base64(hashes.to_sign)}};
  SIGNCTL_TRY(const Reply reply,
              client.ask(post_json("/scan/hash", body)),
              "having the file's hash scanned");
  if (!reply.json.is_object()) {
    return Error{ErrorKind::provider, "SSL.com did not say what the scan has found"};
  }
  if (is_true(reply.json, "malware_detected")) {
    return Error{ErrorKind::provider,
                 "SSL.com reports malware for this file (sha256 " + to_hex(hashes.of_file) + ")",
                 "the file is not signed; ask SSL.com if that is a mistake"};
  }
  return ok();
}

Result<void> check_secrets(const ProviderSettings& settings) {
  const Secret text = secret_in(settings, "totp_secret");
  if (!text.empty()) {
    SIGNCTL_CHECK(decode_totp_secret(text, settings.get("totp_format")), "");
  }
  return ok();
}

Result<Factors> find_factors(const ProviderSettings& settings,
                             const Credential& credential,
                             Clock& clock) {
  Factors factors;
  if (credential.pin != Presence::none) {
    factors.pin = secret_in(settings, "pin");
  }
  if (credential.pin == Presence::required && factors.pin.empty()) {
    return Error{ErrorKind::config,
                 "the credential wants a PIN, and \"pin\" is not set",
                 "set pin to the one chosen at enrolment"};
  }
  const Secret text = secret_in(settings, "totp_secret");
  if (credential.otp == Presence::required && text.empty()) {
    return Error{ErrorKind::config,
                 "the credential wants one-time passwords, and \"totp_secret\" is not set",
                 "set totp_secret or ESIGNER_TOTP_SECRET to the secret shown at enrolment"};
  }
  if (credential.otp != Presence::none && !credential.is_otp_sent && !text.empty()) {
    SIGNCTL_TRY(Secret key, decode_totp_secret(text, settings.get("totp_format")), "");
    factors.passwords.emplace(std::move(key), clock);
  }
  return factors;
}

}  // namespace signctl::providers::esigner
