// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"

#include <signctl/engine.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>

#include <string>

namespace signctl::engine {

/// @errors `input` when `cms` is no SignedData with exactly one signer.
Result<cms::SignedData> parse_one_signer(ByteView cms);

/// Whether a signature carries a timestamp of a kind that files of this profile know.
[[nodiscard]] bool has_timestamp(const cms::SignerInfo& signer, const SignatureProfile& profile);

/// `cms` with a fresh timestamp in place of whatever it had.
///
/// @param source  Receives the name of the server.
Result<Bytes> restamp(ByteView cms,
                      const SignatureProfile& profile,
                      const SignOptions& options,
                      Timestamper& timestamper,
                      std::string& source);

/// restamp() for a signature and those nested in it.
Result<Bytes> restamp_all(ByteView cms,
                          const SignatureProfile& profile,
                          const SignOptions& options,
                          Timestamper& timestamper,
                          std::string& source);

}  // namespace signctl::engine
