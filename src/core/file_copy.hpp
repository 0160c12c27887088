// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/atomic_file.hpp"
#include "core/file.hpp"

#include <signctl/result.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace signctl {

/// Copies the first `size` bytes of `source` into the empty file `target`: as a reflink where the
/// file system has them, else by the kernel with holes kept, else by reading and writing.
///
/// @param target  Open for writing; its path is `target_path`.
/// @param copied  As for AtomicFile::copy_from.
/// @errors  `output` when the target cannot take them, `input` when the source became shorter.
Result<void> copy_content(const FileSource& source,
                          std::uint64_t size,
                          int target,
                          const std::string& target_path,
                          const CopyListener& copied);

/// Writes all of `bytes` at `offset`.
Result<void> write_fully(int target,
                         std::uint64_t offset,
                         ByteView bytes,
                         const std::string& target_path);

/// An extended attribute: name and value.
using ExtendedAttribute = std::pair<std::string, std::string>;

/// The extended attributes of an open file that make sense on a changed copy of it. Best effort:
/// what cannot be read is left out.
[[nodiscard]] std::vector<ExtendedAttribute> read_extended_attributes(int file);

/// Best effort inverse.
void write_extended_attributes(int file, const std::vector<ExtendedAttribute>& attributes);

}  // namespace signctl
