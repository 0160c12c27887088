// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

namespace signctl {

/// How much of a file's ownership the one that replaces it could be given.
enum class KeptOwner { user_and_group, group, nothing };

/// The mode of a file that replaces one of `mode`: never more than that gave to anybody.
[[nodiscard]] mode_t mode_of_successor(mode_t mode, KeptOwner kept);

}  // namespace signctl
