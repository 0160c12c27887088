// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/signature_scheme.hpp>

namespace signctl::clickonce {

/// Checks both signatures of a signed manifest and everything that ties them to each other.
/// docs/formats/clickonce.md lists the findings.
///
/// @errors `input` when it is not XML or holds no signature at all.
Result<SchemeFacts> examine(ByteView manifest);

}  // namespace signctl::clickonce
