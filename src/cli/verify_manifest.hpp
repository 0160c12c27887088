// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/batch.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::cli {

/// What `verify --manifest` looks at: the files of the manifest, and others that should be in it.
/// Each is held against the manifest and judged by the gate.
///
/// @param released  The files that are about to be released; without them, the files of a known
/// type
///                  in the folders that the manifest's files are in.
/// @param gate      Borrowed by the batch.
/// @errors `input` when the manifest cannot be read, or is none.
Result<Batch> manifest_batch(const std::string& manifest_path,
                             const std::optional<std::vector<std::string>>& released,
                             const engine::Gate& gate,
                             TimePoint now);

}  // namespace signctl::cli
