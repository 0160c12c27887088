// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <cstdint>
#include <string>

namespace signctl {

/// Copies the first `size` bytes of descriptor `from` into the empty descriptor `to`.
struct CopyJob {
  int from{-1};
  int to{-1};
  std::uint64_t size{};
};

/// By the kernel where it can: shared extents, then copy_file_range, then read and write. Holes
/// stay holes. Writing out to the disk starts early, so that a later fsync has less to wait for.
Result<void> copy_content(const CopyJob& job,
                          const std::string& from_path,
                          const std::string& to_path);

/// Extended attributes, as far as the target takes them.
void copy_attributes(const CopyJob& job);

}  // namespace signctl
