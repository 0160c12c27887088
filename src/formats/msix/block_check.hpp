// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msix/block_map.hpp"
#include "formats/msix/manifest.hpp"
#include "formats/msix/parts.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <vector>

namespace signctl::msix {

/// Compares the map with the archive: every file is listed once and nothing else is, with its size
/// and the size of its local header; every block unpacks by itself, at its place, to what the map's
/// hash covers. What a bundle holds but does not map are the packages of its manifest.
///
/// One pass over the payload; memory does not grow with it. After twenty findings it stops. What
/// cannot be read is a finding like any other.
std::vector<Finding> check_block_map(const ByteSource& source,
                                     const Package& package,
                                     const BlockMap& map,
                                     const Manifest& manifest);

}  // namespace signctl::msix
