// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/server.hpp"
#include "support/fake_world.hpp"
#include "support/paths.hpp"

#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl::fake {

/// Variables that a test may set at any time.
class Variables final : public Environment {
 public:
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const override {
    const auto found = values_.find(std::string(name));
    return found == values_.end() || found->second.empty() ? std::nullopt
                                                           : std::optional(found->second);
  }
  void set(const std::string& name, const std::string& value) { values_[name] = value; }

 private:
  std::map<std::string, std::string> values_;
};

/// The real HTTP client, but for addresses that exist in other people's data centres alone.
class Rerouting final : public HttpClient {
 public:
  Rerouting(const Environment& environment, std::string ca_file);

  Result<HttpResponse> send(const HttpRequest& request) override;

  /// URLs that begin with `from` go to `to` from now on.
  void reroute(std::string from, std::string to) {
    routes_.emplace_back(std::move(from), std::move(to));
  }

 private:
  std::unique_ptr<HttpClient> real_;
  std::string ca_file_;
  std::vector<std::pair<std::string, std::string>> routes_;
};

/// A provider's whole world, with its service in it: a clock that stands still, variables, a
/// client, and a server with personalities on this machine. Begins at the present time, because TLS
/// certificates are judged by the real one.
class Rig {
 public:
  explicit Rig(const std::vector<std::string>& personalities);

  [[nodiscard]] World world() { return {clock, variables, *http}; }

  /// The personality's settings, with ca_file, as the provider takes them.
  [[nodiscard]] ProviderSettings settings(std::string_view personality) const;
  /// A PEM file with the chain of a kind of key.
  [[nodiscard]] std::string chain_file(const std::string& kind, int generation = 0);
  /// A file with that content.
  std::string file(const std::string& name, std::string_view content) const;

  test::TemporaryFolder folder;
  test::FakeClock clock;
  Variables variables;
  Lab lab;
  std::unique_ptr<Server> server;
  std::unique_ptr<Rerouting> http;

 private:
  std::string ca_file_;
};

/// Something that goes wrong with every request, and what that is to the caller.
struct Trouble {
  std::string name;
  Fault fault;
  ErrorKind kind{};
};
/// All kinds that are no lies.
[[nodiscard]] std::vector<Trouble> troubles();

/// `settings` with one more value, or another.
[[nodiscard]] ProviderSettings with(ProviderSettings settings,
                                    const std::string& key,
                                    const std::string& value);
/// `settings` with one more secret, or another.
[[nodiscard]] ProviderSettings with_secret(ProviderSettings settings,
                                           const std::string& key,
                                           const std::string& value);

}  // namespace signctl::fake
