// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signctl {

/// Remembers a temporary file for the signal handler. Full table: it is then only removed in the
/// ordinary ways.
void remember_temporary(const std::string& path) noexcept;
void forget_temporary(const std::string& path) noexcept;

/// Removes what killed runs have left in `folder`: ".signctl-PID-*.tmp" of processes that are gone.
/// Looks once a process at each folder, and not at very large ones.
void remove_stale_temporaries(const std::string& folder);

}  // namespace signctl
