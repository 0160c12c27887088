// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msix/block_map.hpp"
#include "formats/msix/manifest.hpp"
#include "formats/msix/parts.hpp"

#include <signctl/format.hpp>

#include <cstddef>
#include <vector>

namespace signctl::msix {

/// @param map    Null when the block map cannot be read.
/// @param files  How many files the package holds besides its own parts.
[[nodiscard]] std::vector<FileFact> facts_of(const Package& package,
                                             const Manifest& manifest,
                                             const BlockMap* map,
                                             std::size_t files);

}  // namespace signctl::msix
