// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/signed_data.hpp"
#include "verify/verify.hpp"

#include <signctl/report.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::verify {

/// What a signature's timestamp says and whether it may be believed.
struct TimestampCheck {
  std::optional<TimestampInfo> info;  ///< Empty without a timestamp that could be read.
  std::vector<Finding> findings;
};

/// Checks the timestamp in the unsigned attributes of `signer`, of either kind (the old one only
/// for Authenticode): structure, imprint, signature, certificate binding, usages, and the
/// authority's chain at the time it states.
///
/// `valid` is set when nothing fatal was found; what the compat profile tolerates is not fatal, but
/// is an error finding all the same.
[[nodiscard]] TimestampCheck check_timestamp(const cms::SignedData& data,
                                             const cms::SignerInfo& signer,
                                             const SignatureProfile& profile,
                                             const std::string& label,
                                             const Options& options);

/// The errors in a fresh token's chain, and in what it carries beside it. Those that
/// is_tolerable() names are for the gate's profile to weigh.
[[nodiscard]] std::vector<Finding> objections_to_token(ByteView token, const Options& options);

/// Whether a finding, though an error, leaves a timestamp or chain usable for the compat profile.
[[nodiscard]] bool is_tolerable(const Finding& finding);

}  // namespace signctl::verify
