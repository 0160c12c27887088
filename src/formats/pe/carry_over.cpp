// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/carry_over.hpp"

#include "formats/pe/ranges.hpp"

#include <algorithm>

namespace signctl::pe {

bool leaves_content_alone(const Layout& before, const Layout& after, const PatchSet& edits) {
  const std::uint64_t content = before.content_end();
  if (edits.keep != content || !edits.moves.empty() ||
      after.checksum_offset != before.checksum_offset ||
      after.security_offset != before.security_offset ||
      after.content_end() != round_up_8(content)) {
    return false;
  }
  const std::vector<HashedRange> covered = hashed_ranges(before);
  return std::none_of(edits.patches.begin(), edits.patches.end(), [&](const Patch& patch) {
    return std::any_of(covered.begin(), covered.end(), [&patch](const HashedRange& range) {
      return patch.offset < range.end && patch.offset + patch.bytes.size() > range.begin;
    });
  });
}

}  // namespace signctl::pe
