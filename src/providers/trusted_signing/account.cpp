// SPDX-License-Identifier: Apache-2.0
#include "providers/trusted_signing/account.hpp"

#include "core/log.hpp"
#include "core/text.hpp"
#include "providers/trusted_signing/refusal.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::providers::trusted_signing {
namespace {

constexpr const char* kName = "Artifact Signing";
constexpr const char* kResource = "https://codesigning.azure.net";
constexpr const char* kVersion = "?api-version=2022-06-15-preview";
constexpr std::string_view kDomain = ".codesigning.azure.net";
constexpr std::string_view kIdentityArc = "1.3.6.1.4.1.311.97.";
/// Says only that Artifact Signing made the certificate.
constexpr std::string_view kServiceEku = "1.3.6.1.4.1.311.97.1.0";
constexpr std::string_view kPem = "-----BEGIN ";

constexpr std::array<std::string_view, 15> kRegions{"brs",
                                                    "cus",
                                                    "eus",
                                                    "jpe",
                                                    "krc",
                                                    "ncus",
                                                    "neu",
                                                    "plc",
                                                    "scus",
                                                    "swn",
                                                    "wcus",
                                                    "weu",
                                                    "wus",
                                                    "wus2",
                                                    "wus3"};

constexpr std::chrono::milliseconds kShortestPoll{50};
constexpr std::chrono::milliseconds kLongestPoll{1000};
/// A signature is noticed at most that part of its time too late.
constexpr int kPollsPart = 4;
/// Of what a service asks for; more would be most of an operation's time.
constexpr std::chrono::milliseconds kLongestAsked{15'000};
constexpr std::chrono::seconds kLongestOperation{60};

std::string algorithm_of(DigestAlg alg) {
  return "RS" + std::string(digest_name(alg).substr(3));
}

/// The chain among the certificates of an answer, in any order. What is none is the service's fault
/// and no file's.
Result<Chain> chain_from(ByteView certificates) {
  auto pool = crypto::read_certificates(certificates);
  if (!pool) {
    return Error{
        ErrorKind::provider,
        "Artifact Signing answered with certificates that cannot be read: " + pool.error().message};
  }
  return chain_of(*pool);
}

/// An answer without a status, a gateway's page for one, tells nothing; asking again is free.
bool is_pending(const std::string& status) {
  return status.empty() || status == "inprogress" || status == "running" || status == "notstarted";
}

Error refused_operation(const std::string& operation, const std::string& status) {
  return {ErrorKind::provider,
          "Artifact Signing accepted the request but refused to sign (operation " +
              printable(operation) + ": " + printable(status) + ")",
          "look at the profile's status, the identity validation and the subscription's billing in "
          "the Azure portal"};
}

bool is_done(const Json& answer) {
  return to_lower(text_at(answer, {"status"})) == "succeeded";
}

/// The signature in the last answer of an operation.
Result<Signed> signature_in(const Json& answer,
                            const std::string& operation,
                            ByteView digest,
                            DigestAlg alg) {
  if (!is_done(answer)) {
    return refused_operation(operation, text_at(answer, {"status"}));
  }
  const auto signature = from_any_base64(text_at(answer, {"signature"}));
  if (!signature || signature->empty()) {
    return no_signature_in_answer(kName);
  }
  SIGNCTL_TRY(Chain chain, chain_in(text_at(answer, {"signingCertificate"})), "");
  SIGNCTL_TRY(Bytes checked, checked_signature(chain.leaf, digest, alg, *signature), "");
  return Signed{std::move(checked), std::move(chain)};
}

/// Whether an operation is known no more. Any other refusal may be a proxy's, or a lack of rights.
bool is_gone(const Reply& reply) {
  constexpr int kGone = 410;
  constexpr int kNotFound = 404;
  return reply.status == kGone || (reply.status == kNotFound && !is_inner_refusal(reply));
}

Error unknown_operation(const std::string& operation) {
  return {
      ErrorKind::provider,
      "Artifact Signing accepted operation " + printable(operation) + " and knows of it no more",
      "it may count the signature all the same: " + look_at("the profile in the Azure portal")};
}

enum class Noted { no, yes };

/// Of an operation that was accepted and is still to be waited for.
Error unfinished(Error error, Noted noted) {
  return not_fetched(std::move(error),
                     noted == Noted::yes
                         ? "but running again with the same journal fetches this one, and asks for "
                           "no other"
                         : look_at("the profile in the Azure portal"));
}

}  // namespace

Account::Account(std::shared_ptr<azure::BearerAuthorizer> login, RestClient rest, Place place)
    : login_(std::move(login)),
      rest_(std::move(rest)),
      place_(std::move(place)),
      path_("/codesigningaccounts/" + percent_encode(place_.account) + "/certificateprofiles/" +
            percent_encode(place_.profile) + "/sign") {}

Result<std::shared_ptr<Account>> Account::open(const ProviderSettings& settings, World world) {
  SIGNCTL_TRY(Place place, place_of(settings), "");
  SIGNCTL_TRY(Service service, service_of(settings, kName, place.endpoint, "endpoint"), "");
  SIGNCTL_TRY(auto login, azure::log_in(settings, world, kResource), "");
  Refused refused{service.base_url, place.account, place.profile, login};
  RestClient rest(world, std::move(service), login, [refused](const Reply& reply) {
    return explain(reply, refused);
  });
  return std::shared_ptr<Account>(new Account(std::move(login), std::move(rest), std::move(place)));
}

Result<Chain> Account::chain() {
  const std::lock_guard lock(mutex_);
  if (!chain_) {
    Call call;
    call.path = path_ + "/certchain" + kVersion;
    call.headers["Accept"] = "application/pkcs7-mime, application/x-x509-ca-cert, application/json";
    SIGNCTL_TRY(const Reply reply, rest_.send(call), "looking up the certificate chain");
    SIGNCTL_TRY(chain_, chain_from(as_bytes(reply.text)), "reading the certificate chain");
    if (reply.server_time) {
      clocks_.emplace(*reply.server_time, reply.received);
    }
  }
  return *chain_;
}

Result<std::optional<Json>> Account::wait_for(const std::string& operation) const {
  Clock& clock = rest_.world().clock;
  const auto started = clock.steady_now();
  Call call;
  call.path = path_ + "/" + percent_encode(operation) + kVersion;
  call.headers["Accept"] = "application/json";
  call.is_answer = is_gone;
  auto pause = kShortestPoll;
  while (clock.steady_now() - started < kLongestOperation) {
    clock.sleep_for(pause);
    SIGNCTL_TRY(Reply reply, rest_.send(call), "asking for the signature");
    if (is_gone(reply)) {
      return std::optional<Json>{};
    }
    const std::string status = to_lower(text_at(reply.json, {"status"}));
    if (!is_pending(status)) {
      return std::optional<Json>{std::move(reply.json)};
    }
    const auto spent =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - started);
    pause = std::clamp(spent / kPollsPart, kShortestPoll, kLongestPoll);
    pause = std::clamp(retry_after(reply).value_or(pause), pause, kLongestAsked);
  }
  return Error{ErrorKind::network,
               "Artifact Signing did not finish operation " + printable(operation) + " within " +
                   std::to_string(kLongestOperation.count()) + " s"};
}

Result<Json> Account::request(ByteView digest, DigestAlg alg, const FileHashes& hashes) const {
  Json body = {{"signatureAlgorithm", algorithm_of(alg)}, {"digest", to_base64(digest)}};
  if (!hashes.file.empty()) {
    body["fileHashList"] = Json::array({to_base64(hashes.file)});
  }
  if (!hashes.authenticode.empty()) {
    body["authenticodeHashList"] = Json::array({to_base64(hashes.authenticode)});
  }
  Call call = post_json(path_ + kVersion, body);
  call.headers["Accept"] = "application/json";
  if (!place_.correlation_id.empty()) {
    call.headers["x-correlation-id"] = place_.correlation_id;
  }
  call.counted = true;
  SIGNCTL_TRY(Reply reply, rest_.send(call), "asking for a signature");
  return std::move(reply.json);
}

Result<std::optional<Signed>> Account::resume(const std::string& operation,
                                              ByteView digest,
                                              DigestAlg alg) const {
  const auto answer = wait_for(operation);
  if (!answer) {
    return unfinished(answer.error(), Noted::yes);
  }
  auto made = *answer ? signature_in(**answer, operation, digest, alg)
                      : Result<Signed>(unknown_operation(operation));
  if (made && rest_.world().clock.now() <= made->chain.leaf.not_after()) {
    log_info("Artifact Signing: the signature of operation " + printable(operation) +
             ", which was accepted before, is fetched; no other is asked for");
    return std::optional(*std::move(made));
  }
  log_warning("Artifact Signing accepted operation " + printable(operation) +
              " before, but its signature cannot be had any more (" +
              (made ? "its certificate has expired" : made.error().message) +
              "): another is asked for, and both may be counted");
  return std::optional<Signed>{};
}

Result<Signed> Account::sign(ByteView digest,
                             DigestAlg alg,
                             const FileHashes& hashes,
                             OperationNote* note) const {
  if (const std::string noted = note == nullptr ? "" : note->noted(); !noted.empty()) {
    SIGNCTL_TRY(auto made, resume(noted, digest, alg), "");
    if (made) {
      return *std::move(made);
    }
  }
  SIGNCTL_TRY(Json answer, request(digest, alg, hashes), "");
  const std::string operation = text_at(answer, {"operationId"});
  if (!is_done(answer)) {
    if (operation.empty()) {
      return no_signature_in_answer(kName);
    }
    if (note != nullptr) {
      note->note(operation);
    }
    auto finished = wait_for(operation);
    if (!finished) {
      return unfinished(finished.error(), note == nullptr ? Noted::no : Noted::yes);
    }
    if (!*finished) {
      Error error = unknown_operation(operation);
      error.may_be_done = true;
      return error;
    }
    answer = std::move(**finished);
  }
  return signature_in(answer, operation, digest, alg);
}

Result<Chain> chain_in(const std::string& text) {
  constexpr std::uint8_t kSequence = 0x30;
  if (text.starts_with(kPem)) {
    return chain_from(as_bytes(text));
  }
  auto bytes = from_any_base64(text);
  if (bytes && !bytes->empty() && bytes->front() != kSequence &&
      !as_text(*bytes).starts_with(kPem)) {
    bytes = from_any_base64(as_text(*bytes));
  }
  if (!bytes || bytes->empty()) {
    return Error{ErrorKind::provider, "Artifact Signing answered without a certificate"};
  }
  return chain_from(*bytes);
}

std::string durable_identity(const crypto::Certificate& leaf) {
  const auto& usages = leaf.extended_key_usage();
  if (usages) {
    for (const std::string& usage : *usages) {
      if (usage.starts_with(kIdentityArc) && usage != kServiceEku) {
        return usage;
      }
    }
  }
  return {};
}

std::string doubt_about(std::string_view endpoint) {
  const std::size_t scheme = endpoint.find("://");
  const std::string_view host = endpoint.substr(scheme == endpoint.npos ? 0 : scheme + 3);
  const std::size_t domain = host.find(kDomain);
  if (domain == host.npos) {
    return {};
  }
  const std::string code = to_lower(host.substr(0, domain));
  if (std::find(kRegions.begin(), kRegions.end(), code) != kRegions.end()) {
    return {};
  }
  std::string known;
  for (const std::string_view region : kRegions) {
    known += (known.empty() ? "" : ", ") + std::string(region);
  }
  return "\"" + printable(code) + "\" is no region that signctl knows; known are " + known;
}

}  // namespace signctl::providers::trusted_signing
