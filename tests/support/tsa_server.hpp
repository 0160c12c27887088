// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"
#include "support/cms_builder.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/world.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <httplib.h>

/// Real servers on loopback ports, and timestamp authorities that may lie about anything.
namespace signctl::test {

/// How a server speaks TLS.
struct TlsSetup {
  crypto::KeyBundle identity;                      ///< What it shows, leaf first.
  std::optional<crypto::Certificate> client_ca{};  ///< Who vouches for clients; empty: nobody asks.
  int newest_version{};                            ///< TLS1_1_VERSION and so on; 0 for any.
};

/// A web server that answers every request by one function, on several threads, while it lives.
class WebServer {
 public:
  using Answer = std::function<void(const httplib::Request&, httplib::Response&)>;

  explicit WebServer(Answer answer);
  WebServer(const TlsSetup& tls, Answer answer);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer();

  /// "http://127.0.0.1:PORT" or "https://localhost:PORT", and `path`.
  [[nodiscard]] std::string url(const std::string& path = "/") const { return base_ + path; }
  /// How many requests it has answered.
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void start(Answer answer);

  std::unique_ptr<httplib::Server> server_;
  std::string base_;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

/// Sends `answer`, whatever was asked, without any regard for HTTP, and hangs up.
class RawServer {
 public:
  explicit RawServer(std::string answer);
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  [[nodiscard]] std::string url() const { return base_; }

 private:
  std::unique_ptr<httplib::Server> server_;
  std::string base_;
  std::thread thread_;
};

/// A certificate for "localhost" and 127.0.0.1, as a TLS server wants it, or for a client. Valid
/// around the real time, because libcurl looks at the real clock.
[[nodiscard]] crypto::KeyBundle tls_identity(const std::string& common_name,
                                             const crypto::KeyBundle* issuer);
/// A CA for such certificates.
[[nodiscard]] crypto::KeyBundle tls_authority(const std::string& common_name);

/// What a TimeStampReq asks, read independently of src/timestamp.
struct TsaQuery {
  DigestAlg alg{DigestAlg::sha256};
  Bytes imprint;
  Bytes nonce;  ///< Complete INTEGER.
  std::string policy;
};
[[nodiscard]] TsaQuery read_query(const std::string& body);

/// The TSTInfo that answers `query` truthfully.
[[nodiscard]] TstRecipe truthful(const TsaQuery& query, TimePoint now);

/// A self-signed authority around `now` whose extended key usage is `usage`, in OpenSSL's syntax.
[[nodiscard]] crypto::KeyBundle make_tsa(TimePoint now, const std::string& usage);

/// A TimeStampResp that grants a token over `info`, signed by `authority`.
[[nodiscard]] Bytes granted(const crypto::KeyBundle& authority, const TstRecipe& info);
/// A TimeStampResp without a token: PKIStatus, and one bit of PKIFailureInfo.
[[nodiscard]] Bytes rejected(unsigned status, unsigned failure_bit, const std::string& words);

/// Puts `reply` into `response` as a timestamp server does.
void set_reply(httplib::Response& response, const Bytes& reply);

}  // namespace signctl::test
