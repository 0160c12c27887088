// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/finding.hpp>

#include <cstdint>
#include <vector>

namespace signctl::pe {

/// What is wrong or odd about where the certificate table lies and how sections are laid out. Pure.
[[nodiscard]] std::vector<Finding> check_layout(const Layout& layout);

/// Compares the stored CheckSum with the right one. Windows looks at it for drivers and boot-time
/// images only.
[[nodiscard]] std::vector<Finding> check_checksum(const Layout& layout, std::uint32_t computed);

}  // namespace signctl::pe
