// SPDX-License-Identifier: Apache-2.0
#include "core/clock.hpp"
#include "core/env.hpp"
#include "net/http_client.hpp"
#include "timestamp/client.hpp"
#include "trust/stores.hpp"

#include <signctl/make.hpp>

#include <utility>

namespace signctl {

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

std::unique_ptr<Environment> make_process_environment() {
  return std::make_unique<ProcessEnvironment>();
}

std::unique_ptr<HttpClient> make_http_client(const Environment& environment) {
  return net::make_http_client(environment);
}

Result<std::shared_ptr<const TrustStore>> make_trust_store(bool use_system,
                                                           const std::vector<std::string>& files,
                                                           const Environment& environment) {
  trust::TrustOptions options;
  options.system = use_system;
  options.files = files;
  return trust::make_store(options, environment);
}

Result<std::unique_ptr<Timestamper>> make_timestamper(std::vector<std::string> servers,
                                                      World world) {
  timestamp::Options options;
  options.servers = std::move(servers);
  return timestamp::make_timestamper(std::move(options), world);
}

}  // namespace signctl
