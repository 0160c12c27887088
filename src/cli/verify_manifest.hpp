// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::cli {

/// What is about to be released.
struct ReleasedFiles {
  /// Without them, the files of a known type in the folders that the manifest's files are in, and
  /// in their sub-folders.
  std::optional<std::vector<std::string>> named{};
  /// What signctl itself writes; empty strings mean nothing.
  std::vector<std::string> passed_over{};
};

/// What `verify --manifest` looks at: the files of the manifest, and others that should be in it.
/// Each is held against the manifest and judged by the gate.
///
/// @param gate  Borrowed by the batch.
/// @errors `input` when the manifest cannot be read, or is none.
Result<Batch> manifest_batch(const std::string& manifest_path,
                             const ReleasedFiles& released,
                             const engine::Gate& gate,
                             TimePoint now);

}  // namespace signctl::cli
