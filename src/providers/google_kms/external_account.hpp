// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/google_kms/token.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

namespace signctl::providers::google_kms {

/// The login of an `external_account` file (workload identity federation): a token of another
/// identity provider from a file or URL, exchanged at Google's STS, and for that of a service
/// account where the file names one.
///
/// @errors `config` for a file that lacks something, or whose token comes from a program or AWS.
Result<Login> external_account_login(const ProviderSettings& settings,
                                     World world,
                                     const Json& file);

}  // namespace signctl::providers::google_kms
