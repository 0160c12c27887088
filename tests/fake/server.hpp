// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/personality.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::fake {

enum class Transport { http, https };

/// Whether the TLS handshake fails for a client without a certificate. One that is shown is always
/// checked against the client authority.
enum class ClientCertificate { optional, required };

struct ServerOptions {
  Transport transport{Transport::https};
  ClientCertificate client{ClientCertificate::optional};
  int port{0};  ///< 0: any.
};

/// Serves personalities on 127.0.0.1 from threads of its own, until it is destroyed.
///
/// Besides them, for those who rehearse: POST /__control/fault, /__control/clock {"offset_s": N},
/// /__control/rotate, /__control/reset, and GET /__control/log.
class Server {
 public:
  /// All of `names` (rows of personalities()) must exist. `lab` is borrowed and outlives the
  /// server.
  Server(Lab& lab, const std::vector<std::string>& names, ServerOptions options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// "https://127.0.0.1:4711", no slash at the end.
  [[nodiscard]] const std::string& url() const;
  /// Where one personality is: url() and "/NAME".
  [[nodiscard]] std::string url(std::string_view name) const;
  /// Its settings for signctl.
  [[nodiscard]] Json settings(std::string_view name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace signctl::fake
