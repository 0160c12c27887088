// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verify/unit.hpp"
#include "verify/verify.hpp"

#include <signctl/format.hpp>
#include <signctl/report.hpp>

namespace signctl::verify {

/// Establishes everything about one signature. `computed` is the file's digest under the algorithm
/// that the signature claims; empty when there is no such claim.
[[nodiscard]] SignatureInfo check_signature(Signable& file,
                                            const Unit& unit,
                                            ByteView computed,
                                            const Options& options,
                                            std::vector<Finding>& findings);

}  // namespace signctl::verify
