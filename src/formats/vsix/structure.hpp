// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"

#include <string>

namespace signctl::vsix {

/// The elements of a signature part, found at the one place where each may stand.
struct Structure {
  xml::Element signed_info;
  xml::Element reference;  ///< The only one in SignedInfo.
  xml::Element value;
  xml::Element key_info;
  xml::Element object;    ///< The Object that the reference means.
  xml::Element manifest;  ///< In it.
  xml::Element token;     ///< EncodedTime; empty without a timestamp.
  std::string problem;    ///< What is not as it must be; empty if all is.
};

/// Finds them. One Signature, each Id once, one Reference to one Object of it, nothing beside what
/// OPC, 13.2.4 has in it: whoever reads the document otherwise than the signature means it must not
/// find anything else to read.
[[nodiscard]] Structure read_structure(const xml::Element& root);

}  // namespace signctl::vsix
