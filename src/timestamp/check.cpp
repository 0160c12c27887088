// SPDX-License-Identifier: Apache-2.0
#include "timestamp/check.hpp"

#include "cms/timestamp_token.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::timestamp {

namespace {

constexpr std::chrono::minutes kFreshness{5};

struct FailureBit {
  int bit;
  std::string_view words;
};

// PKIFailureInfo (RFC 3161, 2.4.2).
constexpr std::array kFailures{
    FailureBit{0, "the hash algorithm is not supported"},
    FailureBit{2, "the request is not permitted"},
    FailureBit{5, "the request is malformed"},
    FailureBit{14, "the authority has no time source now"},
    FailureBit{15, "the policy is not supported"},
    FailureBit{16, "an extension is not supported"},
    FailureBit{17, "additional information is not available"},
    FailureBit{25, "the authority has an internal failure"},
};

std::string words_for(const cms::TimestampResponse& response) {
  std::string words = "the request was rejected (status " + std::to_string(response.status) + ")";
  for (const FailureBit& row : kFailures) {
    const auto& bits = response.failure_bits;
    if (std::find(bits.begin(), bits.end(), row.bit) != bits.end()) {
      words += ", " + std::string(row.words);
    }
  }
  if (!response.status_text.empty()) {
    words += ": \"" + printable(response.status_text.substr(0, 200)) + "\"";
  }
  return words;
}

bool may_pass(const cms::TimestampResponse& response) {
  constexpr int kTimeNotAvailable = 14;
  constexpr int kSystemFailure = 25;
  return std::any_of(response.failure_bits.begin(), response.failure_bits.end(), [](int bit) {
    return bit == kTimeNotAvailable || bit == kSystemFailure;
  });
}

/// INTEGER content octets as an unsigned magnitude.
Bytes magnitude(ByteView integer) {
  while (!integer.empty() && integer[0] == 0) {
    integer = integer.subspan(1);
  }
  return {integer.begin(), integer.end()};
}

Error refused(std::string why) {
  return {ErrorKind::timestamp,
          std::move(why),
          "use another timestamp server; this one cannot be relied on"};
}

Result<void> check_info(const cms::TstInfo& info, const Expectation& expected) {
  if (info.imprint_alg != expected.request.alg || info.imprint != expected.imprint) {
    return refused("the timestamp is over something else than was sent");
  }
  if (magnitude(info.nonce) != expected.nonce) {
    return refused(info.nonce.empty() ? "the timestamp carries no nonce: it may be an old one"
                                      : "the timestamp answers another request (nonce)");
  }
  if (!expected.request.policy.empty() && info.policy != expected.request.policy) {
    return refused("the timestamp is under policy " + info.policy + ", not " +
                   expected.request.policy);
  }
  if (info.time > expected.now + kFreshness || info.time < expected.now - kFreshness) {
    Error error = refused("the timestamp says " + to_iso8601(info.time) +
                          ", this machine's clock " + to_iso8601(expected.now));
    error.hint =
        "more than five minutes apart: check the clock of this machine, or use another server";
    return error;
  }
  return ok();
}

}  // namespace

Result<Bytes> check_response(ByteView response, const Expectation& expected) {
  auto parsed = cms::parse_timestamp_response(response);
  if (!parsed) {
    return refused("the answer is not a timestamp response: " + parsed.error().message);
  }
  // granted (0) or grantedWithMods (1).
  if (parsed->status > 1) {
    return Error{may_pass(*parsed) ? ErrorKind::network : ErrorKind::timestamp, words_for(*parsed)};
  }
  auto token = cms::parse_timestamp_token(parsed->token);
  if (!token) {
    return refused("the timestamp token cannot be read: " + token.error().message);
  }
  SIGNCTL_CHECK(check_info(token->info, expected), "");
  for (const Finding& finding : cms::check_timestamp_token(*token, expected.request.signature)) {
    if (finding.severity == Severity::error) {
      return refused(finding.message + " (" + finding.id + ")");
    }
  }
  return std::move(parsed->token);
}

}  // namespace signctl::timestamp
