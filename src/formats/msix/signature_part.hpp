// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msix/parts.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <vector>

namespace signctl::msix {

/// AppxSignature.p7x: "PKCX" and a ContentInfo.
struct SignaturePart {
  Bytes cms;
  std::size_t trailing{};  ///< Octets behind it, which nothing covers.
};

/// @errors `input` when it does not begin with PKCX and the length of a ContentInfo.
Result<SignaturePart> read_signature_part(const ByteSource& source, const zip::Entry& entry);
[[nodiscard]] Bytes encode_signature_part(ByteView cms);

/// What is wrong with the place of the signature: "msix-signature-not-last",
/// "msix-signature-entry", "msix-signature-trailing", "msix-content-types".
Result<std::vector<Finding>> check_signature_part(const ByteSource& source, const Package& package);

}  // namespace signctl::msix
