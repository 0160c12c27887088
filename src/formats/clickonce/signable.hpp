// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/format.hpp>

#include <memory>

namespace signctl::clickonce {

/// Opens a deployment or application manifest.
///
/// @errors `input` when it is not XML with an asm.v1 assembly and its identity.
Result<std::unique_ptr<Signable>> open_manifest(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::clickonce
