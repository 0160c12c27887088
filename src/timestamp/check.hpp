// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>
#include <signctl/world.hpp>

namespace signctl::timestamp {

/// What a fresh answer is held against.
struct Expectation {
  const StampRequest& request;
  Bytes imprint;
  Bytes nonce;  ///< Unsigned magnitude, big-endian, without leading zeros.
  TimePoint now{};
};

/// Checks a TimeStampResp completely, but for the chain of its signer, and returns the token:
/// status, imprint, nonce, policy, time within five minutes of now, signature, ESSCertID, usages
/// (RFC 3161, 2.4.2).
///
/// @errors `timestamp`; `network` for a status that asks to come back later.
Result<Bytes> check_response(ByteView response, const Expectation& expected);

}  // namespace signctl::timestamp
