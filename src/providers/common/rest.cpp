// SPDX-License-Identifier: Apache-2.0
#include "providers/common/rest.hpp"

#include "core/call_control.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "net/http_client.hpp"
#include "providers/common/http_date.hpp"
#include "providers/common/redaction.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace signctl::providers {

namespace {

constexpr std::size_t kMaxReplyBytes = 1U << 20U;
/// A server that asks for more than this is told no: the deadline of the run is nearer.
constexpr std::chrono::milliseconds kLongestWait{120'000};
constexpr std::chrono::milliseconds kShortestCall{1'000};
/// How often a counted call is made when each time the answer is lost.
constexpr int kMostLostAnswers = 2;
constexpr int kRequestTimeout = 408;
constexpr int kTooManyRequests = 429;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kServerError = 500;
constexpr int kUnavailable = 503;

std::string header(const Reply& reply, const std::string& name) {
  const auto found = reply.headers.find(name);
  return found == reply.headers.end() ? std::string() : found->second;
}

/// Full jitter: any time up to the exponential one, so that a fleet does not knock in step.
std::chrono::milliseconds backoff(const RetryRules& rules, int attempt) {
  auto longest = rules.initial;
  for (int i = 1; i < attempt && longest < rules.max; ++i) {
    longest *= 2;
  }
  longest = std::min(longest, rules.max);
  std::uint64_t dice = 0;
  for (const std::uint8_t octet : crypto::random_bytes(sizeof dice)) {
    dice = dice << 8U | octet;
  }
  return std::chrono::milliseconds(dice % (static_cast<std::uint64_t>(longest.count()) + 1));
}

/// How long to wait before the next attempt; empty when there should be none.
std::optional<std::chrono::milliseconds> wait_before(const Error& error,
                                                     const RetryRules& rules,
                                                     int attempt,
                                                     std::chrono::milliseconds spent) {
  if (!is_transient(error.kind) || attempt >= rules.attempts) {
    return std::nullopt;
  }
  const auto wait = error.retry_after.value_or(backoff(rules, attempt));
  if (wait > kLongestWait || spent + wait > rules.deadline) {
    return std::nullopt;
  }
  return wait;
}

/// The last error of a call, and how often it was made.
Error given_up(Error error, int attempts, int lost) {
  if (is_transient(error.kind) && attempts > 1) {
    error.message += " (tried " + std::to_string(attempts) + " times)";
  }
  if (lost > 0) {
    error.may_be_done = true;  // Whatever the last answer said.
    error.hint = "the service may have counted " +
                 (lost == 1 ? std::string("a signature") : std::to_string(lost) + " signatures") +
                 " whose answer was lost, so it is not asked again; look at its own records, and "
                 "at what stands between, before running again";
  }
  return error;
}

/// What the service's support finds a request by; " (request id ...)", or empty when there is none.
std::string request_id(const Reply& reply) {
  constexpr std::size_t kLongest = 100;
  for (const char* name : {"x-ms-request-id",
                           "x-ms-correlation-request-id",
                           "x-correlation-id",
                           "x-amzn-requestid",
                           "x-azure-ref",
                           "x-request-id"}) {
    const std::string id = header(reply, name);
    if (!id.empty() && id.size() <= kLongest) {
      return " (request id " + printable(id) + ")";
    }
  }
  return {};
}

/// The rules of the run that this thread works for, unless the caller has attempts or a deadline of
/// its own; and the run's deadline in any case.
RetryRules rules_in_force(const RetryRules& wanted) {
  CallScope* const scope = CallScope::current();
  if (scope == nullptr) {
    return wanted;
  }
  RetryRules rules = wanted;
  const RetryRules plain;
  const auto left = scope->control().time_left();
  rules.deadline = std::min(wanted.deadline, left);
  if (wanted.attempts == plain.attempts) {
    const CallControl::Rules run = scope->control().rules();
    const bool own_deadline = wanted.deadline != plain.deadline;
    rules = {run.attempts, run.initial, run.max, own_deadline ? rules.deadline : left};
  }
  return rules;
}

/// Whether another attempt makes sense after `pause`.
bool wait_for(std::chrono::milliseconds pause, Clock& clock) {
  if (CallScope* const scope = CallScope::current()) {
    return scope->control().wait(pause);
  }
  clock.sleep_for(pause);
  return true;
}

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string((time.count() + 999) / 1000) + " s";
}

}  // namespace

std::optional<std::chrono::milliseconds> retry_after(const Reply& reply) {
  const std::string text = header(reply, "retry-after");
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure == std::errc{} && end == text.data() + text.size() && seconds >= 0) {
    return std::chrono::milliseconds(std::min<std::int64_t>(seconds, 86'400) * 1000);
  }
  const auto date = parse_http_date(text);
  if (!date) {
    return std::nullopt;
  }
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::milliseconds(*date - reply.server_time.value_or(reply.received)));
}

Error refusal_of(const Reply& reply, const std::string& service, const std::string& detail) {
  const std::string status = std::to_string(reply.status);
  std::string message = service + " answered " + status;
  if (!detail.empty()) {
    message += ": " + printable(detail.substr(0, 300));
  }
  Error error{ErrorKind::provider, std::move(message)};
  if (reply.status == kRequestTimeout || reply.status == kTooManyRequests ||
      reply.status >= kServerError) {
    error.kind = ErrorKind::network;
    error.retry_after = retry_after(reply);
    error.hint = reply.status == kTooManyRequests ? "the service is throttling; run again later"
                                                  : "the service is in trouble; run again later";
  } else if (reply.status == kUnauthorized || reply.status == kForbidden) {
    error.kind = ErrorKind::auth;
  } else if (reply.status >= 300 && reply.status < 400) {
    error.hint = "redirects are not followed with credentials; check the URL and the proxy";
  }
  return error;
}

bool may_be_carried_out(const Reply& reply) {
  return reply.status >= kServerError && reply.status != kUnavailable;
}

std::string look_at(const std::string& place) {
  return "so it is not asked for another; look at " + place + " before running again";
}

Error not_fetched(Error error, const std::string& next) {
  error.may_be_done = true;
  const bool has_advice = !is_transient(error.kind) && !error.hint.empty();
  error.hint = (has_advice ? error.hint + "; " : std::string()) +
               "the service has taken the request for this signature and may count it, " + next;
  return error;
}

Error no_signature_in_answer(const std::string& service) {
  return {ErrorKind::provider,
          service + " answered without a signature",
          "check that the URL leads to the service and not to a gateway's page; it is not asked "
          "again, because it may have counted this one"};
}

RestClient::RestClient(World world,
                       Service service,
                       std::shared_ptr<Authorizer> authorizer,
                       Explain explain)
    : world_(world),
      service_(std::move(service)),
      authorizer_(std::move(authorizer)),
      explain_(std::move(explain)) {
  if (!explain_) {
    explain_ = [name = service_.name](const Reply& reply) { return refusal_of(reply, name, {}); };
  }
}

Result<HttpRequest> RestClient::request_for(const Call& call) const {
  HttpRequest request;
  request.method = call.method;
  request.url = service_.base_url + call.path;
  request.headers = call.headers;
  if (!call.content_type.empty()) {
    request.headers["Content-Type"] = call.content_type;
  }
  request.body = call.body;
  request.timeout = service_.timeout;
  if (CallScope* const scope = CallScope::current()) {
    // A call that hangs may not outlive the run.
    request.timeout =
        std::min(request.timeout, std::max(scope->control().time_left(), kShortestCall));
  }
  request.max_response_bytes = kMaxReplyBytes;
  request.ca_file = service_.ca_file;
  request.client = service_.client;
  if (authorizer_) {
    SIGNCTL_CHECK(authorizer_->authorize(request), "logging in to " + service_.name);
  }
  return request;
}

Result<Reply> RestClient::send_once(const Call& call) const {
  SIGNCTL_TRY(const HttpRequest request, request_for(call), "");
  return exchange(request);
}

Result<Reply> RestClient::exchange(const HttpRequest& request) const {
  auto answer = world_.http.send(request);
  if (!answer && answer.error().kind == ErrorKind::provider) {
    // Too long for the service itself: something in between answers, which may pass.
    answer.error().kind = ErrorKind::network;
  }
  SIGNCTL_TRY(HttpResponse response, std::move(answer), "calling " + service_.name);
  Reply reply;
  reply.status = response.status;
  reply.headers = std::move(response.headers);
  reply.text = std::string(as_text(response.body));
  reply.json = parse_json(reply.text);
  // From here on nothing of the answer can carry into a message what the request was to keep.
  hide_secrets(secrets_of(request), reply);
  reply.received = world_.clock.now();
  reply.server_time = parse_http_date(header(reply, "date"));
  log_debug(request.method + " " + net::without_secrets(request.url) + ": " +
            std::to_string(response.status) + " after " + std::to_string(response.elapsed.count()) +
            " ms" + request_id(reply));
  return reply;
}

Result<Reply> RestClient::send(const Call& call, const RetryRules& wanted) const {
  const RetryRules rules = rules_in_force(wanted);
  const auto started = world_.clock.steady_now();
  bool renewed = false;
  int lost = 0;
  for (int attempt = 1;; ++attempt) {
    // A login is a call of its own, with attempts of its own: what it failed at is not tried again.
    const auto request = request_for(call);
    if (!request) {
      return given_up(request.error(), 1, lost);
    }
    auto reply = exchange(*request);
    if (reply && (reply->ok() || (call.is_answer && call.is_answer(*reply)))) {
      return reply;
    }
    if (reply && reply->status == kUnauthorized && !renewed && authorizer_ &&
        authorizer_->renew()) {
      renewed = true;
      continue;
    }
    Error error = reply ? explain_(*reply).within("calling " + service_.name + request_id(*reply))
                        : reply.error();
    error.may_be_done = call.counted && (reply ? may_be_carried_out(*reply) : error.may_be_done);
    const auto spent =
        std::chrono::duration_cast<std::chrono::milliseconds>(world_.clock.steady_now() - started);
    CallScope* const scope = CallScope::current();
    if (scope != nullptr && is_transient(error.kind)) {
      scope->on_trouble(error);
    }
    lost += error.may_be_done ? 1 : 0;
    const auto pause =
        lost < kMostLostAnswers ? wait_before(error, rules, attempt, spent) : std::nullopt;
    if (pause) {
      log_warning(error.message + "; trying again in " + seconds(*pause) + " (attempt " +
                  std::to_string(attempt + 1) + " of " + std::to_string(rules.attempts) + ")");
    }
    if (!pause || !wait_for(*pause, world_.clock)) {
      return given_up(std::move(error), attempt, lost);
    }
  }
}

}  // namespace signctl::providers
