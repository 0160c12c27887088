// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "timestamp/client.hpp"

#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <optional>
#include <string>

namespace signctl::timestamp {

/// One authority that answers requests: a server, or the local one.
class Responder {
 public:
  virtual ~Responder() = default;

  /// Sends a DER TimeStampReq and returns the DER TimeStampResp, within `limit`.
  ///
  /// @errors `network` for what may pass; `timestamp` for an answer that is no timestamp response.
  virtual Result<Bytes> exchange(const Bytes& request, std::chrono::milliseconds limit) = 0;

  /// The URL, for messages and reports.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// The responder for a URL: http, https, "dev:" or "dev:PATH".
///
/// @errors `config` for anything else; `input` when the file behind dev: cannot be read.
Result<std::unique_ptr<Responder>> make_responder(const std::string& url,
                                                  const Options& options,
                                                  World world);

/// Seconds or an HTTP date (RFC 9110, 10.2.3) as a time to wait from `now`; empty if it is neither.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value,
                                                                         TimePoint now);

}  // namespace signctl::timestamp
