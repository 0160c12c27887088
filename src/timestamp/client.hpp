// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/timestamper.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace signctl::timestamp {

/// How long and how often to try.
struct RetryRules {
  int attempts{6};                              ///< Rounds over all servers.
  std::chrono::milliseconds initial{500};       ///< First pause; doubles, with full jitter.
  std::chrono::milliseconds max{30'000};        ///< Longest pause.
  std::chrono::milliseconds deadline{900'000};  ///< For everything together, from construction.
};

struct Options {
  std::vector<std::string>
      servers;  ///< URLs in order; "dev:" and "dev:PATH" are the local authority.
  RetryRules retry;
  std::chrono::milliseconds timeout{30'000};  ///< One request.
  std::string ca_file;
  /// Called with each freshly received token that passed the local checks, to judge its chain;
  /// returns what is wrong with it. Empty function: the chain is left to the gate.
  std::function<Result<void>(ByteView token)> check_chain;
};

/// An RFC 3161 client over several servers: each is tried in order, the next one at once after a
/// failure; only after a whole round does it pause. Every token is checked completely before it is
/// returned: status, imprint, nonce, policy, genTime within five minutes of now, signature,
/// ESSCertID, EKU, chain. Errors name server, status and attempt.
///
/// @errors `config` for a URL that is not http, https or dev:.
Result<std::unique_ptr<Timestamper>> make_timestamper(Options options, World world);

}  // namespace signctl::timestamp
