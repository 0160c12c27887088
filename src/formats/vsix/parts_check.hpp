// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"
#include "formats/vsix/package.hpp"

#include <signctl/finding.hpp>

#include <vector>

namespace signctl::vsix {

/// Compares the parts of a package with the references in a signature's Manifest, and the other way
/// round. Findings have no subject.
///
/// @errors those of reading the package.
Result<void> check_parts(Package& package,
                         const xml::Element& manifest,
                         std::vector<Finding>& findings);

}  // namespace signctl::vsix
