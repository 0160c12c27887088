// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/build_signature.hpp"
#include "engine/existing.hpp"
#include "engine/opened_file.hpp"

#include <signctl/result.hpp>

namespace signctl::engine {

/// Refuses to add a signature beside others that the gate would refuse afterwards. Only what it
/// holds against these signatures counts: of the file around them, signing may mend something.
/// Digests computed here are remembered by the file for the new signature.
Result<MaybeOutcome> answer_kept(OpenedFile& opened,
                                 const Placement& placement,
                                 const Stages& stages);

}  // namespace signctl::engine
