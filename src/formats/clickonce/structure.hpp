// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"

namespace signctl::clickonce {

/// Whether the two signatures hold nothing but what belongs in them. Each is left out of what it
/// covers itself (XMLDSig, 6.6.4), so that anything else in them would be covered by nothing.
///
/// @param outer    The strong-name signature.
/// @param license  The license within it; may be empty.
[[nodiscard]] bool has_plain_structure(const xml::Element& outer, const xml::Element& license);

}  // namespace signctl::clickonce
