// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace signctl {

/// Owned octets.
using Bytes = std::vector<std::uint8_t>;

/// Borrowed octets. Never outlives the buffer it was made from.
using ByteView = std::span<const std::uint8_t>;

}  // namespace signctl
