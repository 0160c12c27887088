// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/manifest.hpp"

#include <string>

namespace signctl::audit {

/// Whether a file is a record of signing, so that it may lie beside what was signed: a manifest
/// byte for byte as signctl writes one (.json), a whole audit log (.jsonl, .log), or the run's
/// config, unchanged. Content and name both count: what only looks like one must not carry anything
/// else past a check for added files.
[[nodiscard]] bool is_own_record(const std::string& path_utf8, const Manifest& manifest);

}  // namespace signctl::audit
