// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <string>

namespace signctl::timestamp {

/// A local timestamp authority for rehearsing without a network. What it stamps carries the
/// rehearsal marker and passes only gates that were told to accept it.
class Authority {
 public:
  /// Makes a self-signed authority, good from a day before `now` for ten years.
  static Result<Authority> create(TimePoint now);
  /// Reads what save() wrote: PEM with key and certificate.
  static Result<Authority> load(std::string_view path_utf8);
  Result<void> save(std::string_view path_utf8) const;

  /// Answers a DER TimeStampReq with a DER TimeStampResp.
  Result<Bytes> respond(ByteView request, TimePoint now) const;

  [[nodiscard]] const crypto::KeyBundle& bundle() const { return bundle_; }

 private:
  explicit Authority(crypto::KeyBundle bundle) : bundle_(std::move(bundle)) {}
  crypto::KeyBundle bundle_;
};

}  // namespace signctl::timestamp
