// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/xml.hpp"

#include <signctl/finding.hpp>

#include <string>
#include <vector>

namespace signctl::clickonce {

/// Compares each file that the manifest names with its hash, where it lies beside the manifest,
/// under its name or with `.deploy` behind it. Adds "clickonce-file-changed" (error) for each that
/// differs and "clickonce-files-unchecked" (info) with the number of those that are not there.
///
/// @param manifest_path  UTF-8; empty when there is no folder to look in.
void check_files(const xml::Element& root,
                 const std::string& manifest_path,
                 std::vector<Finding>& findings);

}  // namespace signctl::clickonce
