// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signctl {

/// Seconds since 1970-01-01T00:00:00Z.
using TimePoint = std::chrono::sys_time<std::chrono::seconds>;

/// The time of day and waiting. One real implementation (core/clock.hpp), one fixed one in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// Monotonic time for measuring and deadlines.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const = 0;
  virtual void sleep_for(std::chrono::milliseconds duration) = 0;
};

/// Environment variables. `getenv` is called in core/env.cpp and nowhere else.
class Environment {
 public:
  virtual ~Environment() = default;
  /// The value of `name` as UTF-8; empty optional when unset or set to the empty string.
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view name) const = 0;
};

/// What a client shows a server that asks for a certificate (mutual TLS).
struct ClientIdentity {
  std::string certificates_pem;  ///< Leaf first, then what the server may need to build the chain.
  Secret key_pem;                ///< Unencrypted PKCS#8 PEM.
};

/// One HTTP request. Redirects are not followed. TLS is at least 1.2 and always checked.
struct HttpRequest {
  std::string method{"GET"};
  std::string url;                             ///< http or https
  std::map<std::string, std::string> headers;  ///< Sent as given.
  Bytes body;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{30'000};     ///< Whole transfer.
  std::size_t max_response_bytes{1U << 20U};     ///< A longer body is an error.
  std::string ca_file;                           ///< Extra private CA bundle (PEM); empty for none.
  std::shared_ptr<const ClientIdentity> client;  ///< Null when the server asks for none.
};

/// A complete response, whatever its status.
struct HttpResponse {
  int status{};
  std::map<std::string, std::string> headers;  ///< Names in lower case; last one wins.
  Bytes body;
  std::chrono::milliseconds elapsed{};
};

/// Sends HTTP requests. Safe to use from several threads; connections are reused per thread.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// @errors `network` when no complete response could be had (unreachable, timed out, cut,
  ///         TLS failure), with `may_be_done` once the request was on its way; `config` for what
  ///         no second attempt mends: a host name that does not exist, a server whose TLS
  ///         certificate is not trusted; `provider` for an answer that is too long; `auth` for the
  ///         client certificate or the proxy's login; `unsupported` for another URL scheme. HTTP
  ///         error statuses are responses.
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

/// The outside world, as handed to everything that needs it. Borrowed; outlives its users.
struct World {
  Clock& clock;
  const Environment& environment;
  HttpClient& http;
};

}  // namespace signctl
