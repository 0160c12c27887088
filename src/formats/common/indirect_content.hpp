// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/authenticode.hpp"

#include <signctl/bytes.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

namespace signctl {

/// What an SpcIndirectDataContent says: Signable::parse_content() of every file type that signs
/// one.
///
/// @param econtent  DER of the complete content TLV.
/// @errors `input` when it is not an SpcIndirectDataContent.
Result<SigningContent> read_indirect_content(ByteView econtent,
                                             cms::DigestField field = cms::DigestField::one_digest);

}  // namespace signctl
