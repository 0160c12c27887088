// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/format.hpp>

#include <cstdint>
#include <vector>

namespace signctl::pe {

/// What `inspect` shows about an image.
[[nodiscard]] std::vector<FileFact> facts_of(const Layout& layout, std::uint32_t computed_checksum);

}  // namespace signctl::pe
