// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"

// What a document may ask of its reader.
namespace signctl::xml {

/// Before the parser sees it: encoding, size, declarations of entities, and elements with so many
/// attributes that comparing them all with each other takes minutes.
Result<void> check_raw(ByteView bytes);

/// Once it is parsed: depth, and the namespaces that are in force at one place.
Result<void> check_tree(const _xmlNode* root);

}  // namespace signctl::xml
