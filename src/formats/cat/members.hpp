// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/cat/ctl.hpp"

#include <signctl/finding.hpp>
#include <signctl/format.hpp>

#include <vector>

namespace signctl::cat {

/// Members that the list names twice, or whose name and digest differ.
[[nodiscard]] std::vector<Finding> check_members(const Ctl& ctl);

/// What `inspect` says of a catalog: the list, then one fact "member" each.
[[nodiscard]] std::vector<FileFact> facts_of(const Ctl& ctl);

/// The members as what they vouch for, in stored order.
[[nodiscard]] std::vector<VouchedFile> vouched_files(const Ctl& ctl);

}  // namespace signctl::cat
