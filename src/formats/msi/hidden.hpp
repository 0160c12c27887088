// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/result.hpp>

#include <cstdint>

namespace signctl::msi {

/// Bytes in places that must be empty: they belong to no stream, and no signature covers them.
struct Hidden {
  std::uint64_t bytes{};
  std::uint64_t first{};  ///< Offset in the file of the first of them; meaningless without any.
};

/// Looks at the header's class and reserved fields and the rest of its sector (2.2), unused places
/// of the DIFAT (2.5), entries of the FAT and the MiniFAT for sectors that are not in use (2.3,
/// 2.4), directory entries that are not in use (2.6.3), and what is behind the names of the others
/// (2.6.1), as well as class, state and times of the streams of the signature, which no hash
/// covers. What writers put there counts as nothing: zeros, and ones all over (FREESECT, NOSTREAM).
///
/// @errors `io` when the source cannot be read.
Result<Hidden> find_hidden(const CompoundFile& file);

}  // namespace signctl::msi
