// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace signctl::providers {

using Json = nlohmann::json;

/// `text` as JSON; a discarded value (`is_discarded()`) when it is none, or is nested deeper than
/// any service needs. Never throws.
[[nodiscard]] Json parse_json(std::string_view text);

/// The text at a path of object keys; empty when it is absent or no text.
[[nodiscard]] std::string text_at(const Json& json, std::initializer_list<std::string_view> path);

/// The claims of a JWT (RFC 7519), unverified; discarded when it is none.
[[nodiscard]] Json claims_of(std::string_view jwt);

/// Base64 as services write it: standard or URL alphabet, with or without padding and line breaks.
[[nodiscard]] std::optional<Bytes> from_any_base64(std::string_view text);
/// RFC 4648, 5, without padding.
[[nodiscard]] std::string to_base64url(ByteView bytes);

/// `text` percent-encoded but for RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);
/// application/x-www-form-urlencoded
[[nodiscard]] Bytes form_body(const std::map<std::string, std::string>& fields);

/// The URL of a service from setting `key`, without a trailing slash.
///
/// @errors `config` unless it is https with a host and without user information, query and
///         fragment; http is taken for loopback and link-local addresses only, where nobody
///         listens in.
Result<std::string> service_url(std::string_view url, std::string_view key);

/// Where a service is and how it is spoken to.
struct Service {
  std::string name;      ///< "Artifact Signing", for messages.
  std::string base_url;  ///< From service_url().
  std::string ca_file;
  std::shared_ptr<const ClientIdentity> client;
  std::chrono::milliseconds timeout{60'000};  ///< Of one call.
};

/// `ca_file` and `timeout` of any provider's settings, and the service's name and URL.
///
/// @errors `config` as service_url(), and for a timeout that is no duration.
Result<Service> service_of(const ProviderSettings& settings,
                           std::string name,
                           std::string_view url,
                           std::string_view url_key);

struct Reply;

/// One call of a service.
struct Call {
  std::string method{"GET"};
  std::string path;  ///< Appended to the base URL; begins with '/'; may hold a query.
  std::map<std::string, std::string> headers{};
  std::string content_type{};  ///< Empty: no body.
  Bytes body{};
  /// Each one that is carried out costs money or counts against a quota. When an answer is lost, or
  /// is an error after which it may be carried out, it is asked for again once and no more. Only
  /// errors of such calls have Error::may_be_done.
  bool counted{false};
  /// Whether an answer with an error's status is one that the caller deals with; none when empty.
  std::function<bool(const Reply&)> is_answer{};
};

/// A POST of JSON.
[[nodiscard]] Call post_json(std::string path, const Json& body);
/// The same for a signature that costs (Call::counted).
[[nodiscard]] Call post_counted_json(std::string path, const Json& body);

/// What a service answered.
struct Reply {
  int status{};
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string text;                            ///< The body as it came.
  Json json;                                   ///< Discarded when the body is not JSON.
  /// The service's clock (Date header), and what ours said when the answer came.
  std::optional<TimePoint> server_time;
  TimePoint received{};

  [[nodiscard]] bool ok() const { return status >= 200 && status <= 299; }
};

/// How long a reply asks to wait (Retry-After; RFC 9110, 10.2.3): seconds, or a date by the
/// server's own clock.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const Reply& reply);

/// Puts credentials on requests: a bearer token, an API key, a SigV4 signature. Shared by the
/// sessions of a run, so implementations lock.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  /// Called before every attempt, with all but the credentials in place. Tries again by itself what
  /// may pass: the call is given up when this fails.
  virtual Result<void> authorize(HttpRequest& request) = 0;

  /// The service answered 401: drops a credential that can be had again. False if there is nothing
  /// to renew, or it was made so lately that renewing cannot help.
  virtual bool renew() { return false; }
};

/// Turns a refusal into an Error: `network` (with retry_after) is tried again, nothing else is.
/// Must not quote whole bodies or anything secret. Null: refusal_of().
using Explain = std::function<Error(const Reply&)>;

/// The default: 408, 429 and 5xx are `network` with Retry-After, 401 and 403 are `auth`, all else
/// is `provider`. `detail` is the service's own text, already safe to show; may be empty.
[[nodiscard]] Error refusal_of(const Reply& reply,
                               const std::string& service,
                               const std::string& detail);

/// Whether the service may have done what it was asked for though the answer is an error: it may
/// fail after the work, and a gateway gives up waiting for it. Who throttles or is not there has
/// not.
[[nodiscard]] bool may_be_carried_out(const Reply& reply);

/// `error`, of a failure to fetch a signature that the service has accepted to make.
///
/// @param next  For the hint: what will, or has to, be done about it.
[[nodiscard]] Error not_fetched(Error error, const std::string& next);
/// The `next` of who cannot fetch it later. `place` is where the user sees what has become of it.
[[nodiscard]] std::string look_at(const std::string& place);

/// Of a service that answered a counted call with something in which there is no signature. Final:
/// who asks again may pay again.
[[nodiscard]] Error no_signature_in_answer(const std::string& service);

/// How often and how long calls are tried again.
struct RetryRules {
  int attempts{6};
  std::chrono::milliseconds initial{500};
  std::chrono::milliseconds max{30'000};
  std::chrono::milliseconds deadline{300'000};  ///< For all attempts of one call.
};

/// Calls of one service, with retries: exponential backoff with full jitter, Retry-After honoured,
/// only for `network` errors of the call itself, and one more attempt after Authorizer::renew().
/// Counted calls whose answer was lost (Error::may_be_done) are made twice at most.
/// Secrets of the request that a reply repeats are hidden in it. Safe to share between threads.
class RestClient {
 public:
  RestClient(World world, Service service, std::shared_ptr<Authorizer> authorizer, Explain explain);

  /// A reply whose status is 2xx.
  Result<Reply> send(const Call& call, const RetryRules& rules = {}) const;

  /// One attempt; any status is a reply.
  Result<Reply> send_once(const Call& call) const;

  [[nodiscard]] const Service& service() const { return service_; }
  [[nodiscard]] World world() const { return world_; }

 private:
  /// With its credentials.
  Result<HttpRequest> request_for(const Call& call) const;
  Result<Reply> exchange(const HttpRequest& request) const;

  World world_;
  Service service_;
  std::shared_ptr<Authorizer> authorizer_;
  Explain explain_;
};

}  // namespace signctl::providers
