// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/world.hpp>

#include <string>
#include <utility>
#include <vector>

namespace signctl::audit {

/// What CI services say of the build in variables, as far as it is set: repository, commit, ref,
/// run; and SIGNCTL_BUILD. None of them is a secret; addresses, which may have a password in them,
/// are not among them.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> build_facts(
    const Environment& environment);

/// Names the build that this job belongs to: SHA-256 in hex of those facts that all its jobs have
/// alike, also when one is run again. Empty when nothing is known.
[[nodiscard]] std::string build_sha256(const Environment& environment);

}  // namespace signctl::audit
