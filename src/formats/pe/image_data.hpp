// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/page_hashes.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <optional>

namespace signctl::pe {

/// SpcPeImageData, the data.value of a PE image's SpcIndirectDataContent.
struct ImageData {
  std::optional<PageHashRows> page_hashes;
};

/// DER. Without page hashes the ten octets that signtool writes: no flags, an empty file name.
[[nodiscard]] Bytes encode_image_data(const ImageData& data);

/// Accepts every form of SpcLink that real signers write; only page hashes are looked into.
///
/// @errors `input` for anything that is not an SpcPeImageData, and for a moniker of another class
///         or with more than one set of page hashes.
Result<ImageData> parse_image_data(ByteView der);

}  // namespace signctl::pe
