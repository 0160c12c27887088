// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/backoff.hpp"

#include <signctl/timestamper.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace signctl::timestamp {

using signctl::RetryRules;  // `attempts`: of one timestamp, in vain, of each server.

/// A token bucket for each server: some ask for seconds between scripted calls.
struct Pacing {
  std::chrono::milliseconds interval{0};  ///< Time in which one request more becomes due; 0: none.
  int burst{1};                           ///< Requests that may have become due.
};

struct Options {
  std::vector<std::string>
      servers;       ///< URLs in order; "dev:" and "dev:PATH" are the local authority.
  RetryRules retry;  ///< The deadline counts from construction.
  Pacing pacing;
  std::chrono::milliseconds timeout{30'000};  ///< One request.
  std::string ca_file;
  /// Called with each freshly received token that passed the local checks, to judge its chain;
  /// returns what is wrong with it. Empty function: the chain is left to the gate.
  std::function<Result<void>(ByteView token)> check_chain;
};

/// An RFC 3161 client over several servers, one for all threads of a run: what one thread learns of
/// a server, all go by.
///
/// The best server is asked first: in the order given, but one that answers more than twice as fast
/// overtakes. After a failure the next one is asked at once, and a lone one that has answered
/// before once more. A server in trouble is backed off from with full jitter and tried by one
/// thread at a time, and Retry-After is kept; one that answered wrongly is put last for a minute.
/// Every token is checked completely before it is returned: status, imprint, nonce, policy, genTime
/// within five minutes of now, signature, ESSCertID, EKU, chain. Errors name server, status and
/// attempt.
///
/// @errors `config` for a URL that is not http, https or dev:.
Result<std::unique_ptr<Timestamper>> make_timestamper(Options options, World world);

}  // namespace signctl::timestamp
