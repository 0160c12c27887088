// SPDX-License-Identifier: Apache-2.0
#include "providers/signserver/worker.hpp"

#include "core/text.hpp"

#include <array>
#include <chrono>
#include <utility>

namespace signctl::providers::signserver {
namespace {

constexpr const char* kName = "SignServer";
/// What the worker says of a digest whose algorithm it does not take.
constexpr const char* kOtherDigest = "non-accepted";

/// An offline crypto token is waited for no longer than somebody needs to activate it.
constexpr RetryRules kRules{.deadline = std::chrono::milliseconds{120'000}};

/// A bearer token (RFC 6750), or user name and password (RFC 7617).
class HeaderAuthorizer final : public Authorizer {
 public:
  explicit HeaderAuthorizer(Secret header) : header_(std::move(header)) {}

  Result<void> authorize(HttpRequest& request) override {
    request.headers["Authorization"] = std::string(header_.reveal());
    return ok();
  }

 private:
  Secret header_;
};

/// As CLIENTSIDE_HASHDIGESTALGORITHM wants it.
std::string wire_name(DigestAlg alg) {
  switch (alg) {
    case DigestAlg::sha384:
      return "SHA-384";
    case DigestAlg::sha512:
      return "SHA-512";
    case DigestAlg::sha256:
    case DigestAlg::sha1:
    case DigestAlg::md5:
      break;
  }
  return "SHA-256";
}

std::string path_of(const std::string& worker) {
  return "/rest/v1/workers/" + percent_encode(worker) + "/process";
}

Call process(const std::string& worker, ByteView data, DigestAlg alg) {
  Call call = post_json(path_of(worker),
                        {{"data", to_base64(data)},
                         {"encoding", "BASE64"},
                         {"metaData",
                          {{"USING_CLIENTSUPPLIED_HASH", "true"},
                           {"CLIENTSIDE_HASHDIGESTALGORITHM", wire_name(alg)}}}});
  // Proves to the server that no browser was tricked into sending this.
  call.headers["X-Keyfactor-Requested-With"] = "signctl";
  return call;
}

std::string hint_for_400(const std::string& said) {
  const std::string text = to_lower(said);
  if (text.find("not allowed") != text.npos) {
    return "set the worker properties CLIENTSIDEHASHING=true (or "
           "ALLOW_CLIENTSIDEHASHING_OVERRIDE=true) and SIGNATUREALGORITHM=NONEwithRSA or "
           "NONEwithECDSA";
  }
  if (text.find(kOtherDigest) != text.npos) {
    return "add the digest to the worker property ACCEPTED_HASH_DIGEST_ALGORITHMS";
  }
  return "the worker must be a PlainSigner with SIGNATUREALGORITHM=NONEwithRSA or NONEwithECDSA "
         "and CLIENTSIDEHASHING=true";
}

Error explain(const Reply& reply, const std::string& worker) {
  const std::string said = text_at(reply.json, {"error"});
  Error error = refusal_of(reply, kName, said);
  const std::string name = printable(worker);
  switch (reply.status) {
    case 400:
      error.kind = ErrorKind::config;
      error.hint = hint_for_400(said);
      break;
    case 401:
      error.message = "not authenticated or not authorised for worker " + name + " (401)";
      error.hint =
          "SignServer says 401 for both: check client_certificate, token or password, and that the "
          "worker's authorized clients (or its AUTHTYPE) include it";
      break;
    case 403:
      error.hint = "something in front of SignServer refused; check url and the proxy's rules";
      break;
    case 404:
      error.kind = ErrorKind::config;
      error.message = "there is no worker " + name + " (404)";
      error.hint = "check worker and url, which ends with /signserver";
      break;
    case 500:
      // The one text behind this status that no repetition helps against.
      if (said.find("base64") != said.npos) {
        error.kind = ErrorKind::provider;
      }
      break;
    case 503:
      error.hint = "activate the crypto worker of " + name + ", then run this again";
      break;
    default:
      break;
  }
  return error;
}

Error no_signature() {
  return {ErrorKind::provider,
          "SignServer answered without a signature",
          "check that url leads to SignServer and not to a gateway's page"};
}

Secret secret_of(const ProviderSettings& settings, const char* key) {
  const auto found = settings.secrets.find(key);
  return found == settings.secrets.end() ? Secret() : found->second;
}

/// The value of the Authorization header; empty for none.
Result<Secret> header_of(const ProviderSettings& settings) {
  const Secret token = secret_of(settings, "token");
  const Secret password = secret_of(settings, "password");
  const std::string user = settings.get("username");
  if (!token.empty() && !user.empty()) {
    return Error{ErrorKind::config,
                 R"("token" and "username" exclude each other)",
                 "keep the one that the worker's AUTHTYPE asks for"};
  }
  if (user.empty() != password.empty()) {
    return Error{ErrorKind::config,
                 R"("username" and "password" belong together)",
                 "set both, for HTTP Basic, or neither"};
  }
  if (user.find(':') != user.npos) {
    return Error{ErrorKind::config,
                 R"("username" has a colon in it, which HTTP Basic does not allow)"};
  }
  if (!token.empty()) {
    return Secret("Bearer " + std::string(token.reveal()));
  }
  if (user.empty()) {
    return Secret();
  }
  const Secret both(user + ":" + std::string(password.reveal()));
  return Secret("Basic " + to_base64(as_bytes(both.reveal())));
}

Result<std::shared_ptr<Authorizer>> make_authorizer(const ProviderSettings& settings,
                                                    bool has_client) {
  SIGNCTL_TRY(const Secret header, header_of(settings), "");
  if (header.empty() && !has_client) {
    return Error{
        ErrorKind::config,
        "there is no credential for SignServer",
        "set client_certificate (with client_certificate_password), token, or username and "
        "password"};
  }
  std::shared_ptr<Authorizer> authorizer;
  if (!header.empty()) {
    authorizer = std::make_shared<HeaderAuthorizer>(header);
  }
  return authorizer;
}

}  // namespace

Worker::Worker(RestClient rest, ProviderSettings settings, std::vector<crypto::Certificate> client)
    : rest_(std::move(rest)), settings_(std::move(settings)), client_(std::move(client)) {}

Result<std::shared_ptr<Worker>> Worker::open(const ProviderSettings& settings, World world) {
  const std::string worker = settings.get("worker");
  if (worker.empty()) {
    return Error{ErrorKind::config,
                 "\"worker\" is not set",
                 "set it to the name or the id of the SignServer worker that signs"};
  }
  SIGNCTL_TRY(Service service, service_of(settings, kName, settings.get("url"), "url"), "");
  SIGNCTL_TRY(ClientFile client, load_client_identity(settings, ""), "");
  SIGNCTL_TRY(auto authorizer, make_authorizer(settings, client.identity != nullptr), "");
  service.client = client.identity;
  RestClient rest(world, std::move(service), std::move(authorizer), [worker](const Reply& reply) {
    return explain(reply, worker);
  });
  std::shared_ptr<Worker> made(new Worker(std::move(rest), settings, std::move(client.chain)));
  if (!settings.get("chain").empty()) {
    SIGNCTL_TRY(made->chain_, chain_with_file(settings, {}), "");
  }
  return made;
}

Result<void> Worker::check_access() {
  auto probed = probe(DigestAlg::sha256);
  const bool wants_another =
      !probed && probed.error().message.find(kOtherDigest) != std::string::npos;
  return wants_another ? ok() : std::move(probed);
}

Result<void> Worker::probe(DigestAlg alg) {
  constexpr std::array<std::uint8_t, 1> kNoDigest{0};
  const std::string worker = settings_.get("worker");
  const Call call = process(worker, kNoDigest, alg);
  auto answer = rest_.send_once(call);
  if (answer && answer->server_time) {
    clocks_ = {*answer->server_time, answer->received};
  }
  // Refusals are final, and one of them is the answer hoped for; only what passes is tried again.
  const Error first = !answer        ? answer.error()
                      : answer->ok() ? Error{ErrorKind::provider, ""}
                                     : explain(*answer, worker);
  if (first.message.find("Input length") != std::string::npos) {
    return ok();
  }
  if (answer && answer->ok()) {
    if (text_at(answer->json, {"data"}).empty()) {
      return no_signature();
    }
    return Error{
        ErrorKind::config,
        "worker " + printable(worker) + " takes a single byte for a " + wire_name(alg) + " digest",
        hint_for_400("")};
  }
  if (!is_transient(first.kind)) {
    return first;
  }
  auto again = rest_.send(call, kRules);
  if (again || again.error().message.find("Input length") != std::string::npos) {
    return ok();
  }
  return std::move(again).error();
}

std::optional<Chain> Worker::chain() const {
  const std::lock_guard lock(mutex_);
  return chain_;
}

Result<Chain> Worker::chain_for(const Json& answer) {
  std::vector<crypto::Certificate> shown;
  const auto der = from_any_base64(text_at(answer, {"signerCertificate"}));
  if (der && !der->empty()) {
    SIGNCTL_TRY(auto leaf, crypto::Certificate::parse(*der), "reading the signer's certificate");
    shown.push_back(std::move(leaf));
  }
  const std::lock_guard lock(mutex_);
  if (!chain_ || (!shown.empty() && !(chain_->leaf == shown.front()))) {
    SIGNCTL_TRY(chain_, chain_with_file(settings_, shown), "");
  }
  return *chain_;
}

Result<SignedDigest> Worker::sign(ByteView digest, DigestAlg alg) {
  SIGNCTL_TRY(
      const Reply reply, rest_.send(process(settings_.get("worker"), digest, alg), kRules), "");
  const auto signature = from_any_base64(text_at(reply.json, {"data"}));
  if (!signature || signature->empty()) {
    return no_signature();
  }
  SIGNCTL_TRY(Chain chain, chain_for(reply.json), "");
  SIGNCTL_TRY(Bytes checked, checked_signature(chain.leaf, digest, alg, *signature), "");
  return SignedDigest{std::move(checked), std::move(chain.der)};
}

}  // namespace signctl::providers::signserver
