// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msix/block_map.hpp"
#include "formats/msix/manifest.hpp"
#include "formats/msix/parts.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <span>
#include <vector>

namespace signctl::msix {

/// A package and what it is made of, as it was read.
struct Opened {
  const ByteSource& source;
  const Package& package;
  const BlockMap& map;
  const Manifest& manifest;
};

/// The edits that exchange the bytes of some files: each is packed in blocks again, the block map
/// says what they are now, and a bundle's manifest where they lie. The signature goes.
///
/// @param files  Position in the archive of each member that a Replacement may name.
/// @errors `unsupported` when the package has a CodeIntegrity.cat, which lists the programs as they
///         were; `input` when the block map does not know a file.
Result<PatchSet> exchange(const Opened& opened,
                          const std::vector<std::size_t>& files,
                          std::span<const Replacement> replacements);

}  // namespace signctl::msix
