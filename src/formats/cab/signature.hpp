// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/cab/reserve.hpp"
#include "formats/common/cabinet_layout.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <vector>

namespace signctl::cab {

/// A signature is written in a multiple of this many bytes, filled up with zeros.
inline constexpr std::uint64_t kSignatureAlignment = 8;

/// The signature that the reserved area points to; empty when it points to none.
///
/// @errors `input` when it is not inside the file or does not start with a DER SEQUENCE.
Result<std::optional<EmbeddedSignature>> read_signature(const ByteSource& source,
                                                        const Reserve& reserve);

/// What is wrong with where the signature is, what is around it, and what else is in the file that
/// the digest does not cover.
Result<std::vector<Finding>> check_surroundings(const ByteSource& source,
                                                const formats::CabinetLayout& layout,
                                                const Reserve& reserve);

}  // namespace signctl::cab
