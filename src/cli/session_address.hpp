// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "cli/context.hpp"
#include "cli/settings.hpp"
#include "session/proxy.hpp"
#include "timestamp/client.hpp"

#include <optional>
#include <string>

namespace signctl::cli {

/// Where a signer's session is, and what both sides must hold to use it: settings, what its
/// secrets' references lead to as far as that is the environment, timestamp servers, and what is
/// trusted.
///
/// @param timestamp  Empty when no timestamps are wanted.
[[nodiscard]] session::Address session_address(const SignerChoice& signer,
                                               const config::Config& config,
                                               const std::optional<timestamp::Options>& timestamp,
                                               const TrustFlags& trust,
                                               Context& context);

/// The folder of this user's sessions.
[[nodiscard]] std::string session_folder(Context& context);

}  // namespace signctl::cli
