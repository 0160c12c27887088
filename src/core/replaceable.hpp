// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string_view>

namespace signctl {

/// What to think of a target whose folder is not there.
enum class MissingFolder { refuse, will_be_made };

/// Whether AtomicFile could put a file at `target_utf8`, or replace the one that is there, as far
/// as that shows without writing. What it cannot know: whether there is room on the disk.
///
/// @errors `output`, as AtomicFile has them.
Result<void> check_replaceable(std::string_view target_utf8,
                               MissingFolder folder = MissingFolder::refuse);

}  // namespace signctl
