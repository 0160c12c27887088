// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <cstdint>
#include <string>

namespace signctl::providers::google_kms {

/// CRC-32C (Castagnoli), by which Google KMS detects what was damaged on the way.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes);

/// crc32c() as JSON has it: 64-bit numbers are decimal text there.
[[nodiscard]] std::string crc32c_text(ByteView bytes);

}  // namespace signctl::providers::google_kms
