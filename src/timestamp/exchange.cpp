// SPDX-License-Identifier: Apache-2.0
#include "timestamp/exchange.hpp"

#include "core/text.hpp"
#include "net/http_client.hpp"
#include "timestamp/authority.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace signctl::timestamp {

namespace {

constexpr std::string_view kDev = "dev:";
constexpr std::size_t kMaxResponse = 1U << 20U;
constexpr std::chrono::hours kLongestWait{1};

class LocalResponder final : public Responder {
 public:
  LocalResponder(Authority authority, std::string name, Clock& clock)
      : authority_(std::move(authority)), name_(std::move(name)), clock_(clock) {}

  Result<Bytes> exchange(const Bytes& request, std::chrono::milliseconds /*limit*/) override {
    return authority_.respond(request, clock_.now());
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Authority authority_;
  std::string name_;
  Clock& clock_;
};

class HttpResponder final : public Responder {
 public:
  HttpResponder(std::string url, const Options& options, World world)
      : url_(std::move(url)),
        name_(net::without_secrets(url_)),
        timeout_(options.timeout),
        ca_file_(options.ca_file),
        world_(world) {}

  Result<Bytes> exchange(const Bytes& request, std::chrono::milliseconds limit) override {
    HttpRequest post;
    post.method = "POST";
    post.url = url_;
    post.headers = {{"Content-Type", "application/timestamp-query"},
                    {"Accept", "application/timestamp-reply"}};
    post.body = request;
    post.timeout = std::min(timeout_, limit);
    post.connect_timeout = std::min(post.connect_timeout, post.timeout);
    post.max_response_bytes = kMaxResponse;
    post.ca_file = ca_file_;
    auto answer = world_.http.send(post);
    if (!answer && answer.error().kind == ErrorKind::provider) {
      return wrong_answer(std::move(answer).error());
    }
    SIGNCTL_TRY(HttpResponse response, std::move(answer), "");
    SIGNCTL_CHECK(check_status(response), "");
    SIGNCTL_CHECK(check_type(response), "");
    return std::move(response.body);
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Result<void> check_status(const HttpResponse& response) const {
    if (response.status == 200) {
      return ok();
    }
    const bool passing = response.status == 408 || response.status == 429 || response.status >= 500;
    Error error{passing ? ErrorKind::network : ErrorKind::timestamp,
                "HTTP status " + std::to_string(response.status)};
    if (response.status >= 300 && response.status < 400) {
      error.hint = "redirects are not followed; use the address that the server points to";
    }
    const auto wait = response.headers.find("retry-after");
    if (passing && wait != response.headers.end()) {
      error.retry_after = parse_retry_after(wait->second, world_.clock.now());
    }
    return error;
  }

  /// An answer that the transport would not read to its end.
  static Error wrong_answer(Error error) {
    error.kind = ErrorKind::timestamp;
    error.hint = "check the URL of the timestamp server";
    return error;
  }

  /// Captive portals and error pages answer 200 with HTML.
  static Result<void> check_type(const HttpResponse& response) {
    const auto header = response.headers.find("content-type");
    const std::string type = header == response.headers.end() ? "" : to_lower(header->second);
    const std::string plain = type.substr(0, std::min(type.find(';'), type.size()));
    if (plain.starts_with("application/timestamp-reply") ||
        plain.starts_with("application/timestamp-response")) {
      return ok();
    }
    if (plain.starts_with("text/html")) {
      return Error{ErrorKind::timestamp,
                   "the answer is a web page, not a timestamp",
                   "the URL is wrong, or a proxy or login page stands in between"};
    }
    return Error{
        ErrorKind::timestamp,
        "the answer is of type \"" + printable(plain) + "\", not application/timestamp-reply",
        "check the URL of the timestamp server"};
  }

  std::string url_;
  std::string name_;
  std::chrono::milliseconds timeout_;
  std::string ca_file_;
  World world_;
};

}  // namespace

Result<std::unique_ptr<Responder>> make_responder(const std::string& url,
                                                  const Options& options,
                                                  World world) {
  using Made = std::unique_ptr<Responder>;
  if (url.starts_with(kDev)) {
    const std::string path = url.substr(kDev.size());
    SIGNCTL_TRY(Authority authority,
                path.empty() ? Authority::create(world.clock.now()) : Authority::load(path),
                "");
    return Made(std::make_unique<LocalResponder>(std::move(authority), url, world.clock));
  }
  const std::string lower = to_lower(url);
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) {
    return Error{ErrorKind::config,
                 "\"" + printable(url) + "\" is not a timestamp server",
                 "use an http or https URL, or dev: for a local authority"};
  }
  return Made(std::make_unique<HttpResponder>(url, options, world));
}

std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value,
                                                           TimePoint now) {
  long seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc{} && end == value.data() + value.size() && seconds >= 0) {
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongestWait);
  }
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (value.size() != 29 || !value.ends_with(" GMT")) {
    return std::nullopt;
  }
  const auto month =
      std::find(kMonths.begin(), kMonths.end(), std::string_view(value).substr(8, 3));
  if (month == kMonths.end()) {
    return std::nullopt;
  }
  const auto number = std::to_string(101 + (month - kMonths.begin())).substr(1);
  const auto time = from_iso8601(value.substr(12, 4) + "-" + number + "-" + value.substr(5, 2) +
                                 "T" + value.substr(17, 8) + "Z");
  if (!time) {
    return std::nullopt;
  }
  return std::clamp<std::chrono::milliseconds>(
      *time - now, std::chrono::milliseconds(0), kLongestWait);
}

}  // namespace signctl::timestamp
