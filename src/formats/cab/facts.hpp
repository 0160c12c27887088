// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/cabinet_layout.hpp"

#include <signctl/format.hpp>

#include <vector>

namespace signctl::cab {

/// What `inspect` says of a cabinet.
[[nodiscard]] std::vector<FileFact> facts_of(const formats::CabinetLayout& layout);

}  // namespace signctl::cab
