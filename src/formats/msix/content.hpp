// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cms/authenticode.hpp"
#include "formats/msix/parts.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>

#include <vector>

namespace signctl::msix {

/// DER of the SpcIndirectDataContent that carries `table`.
[[nodiscard]] Bytes encode_content(bool bundle, DigestAlg alg, ByteView table);

/// Whether signed content is of the kind that this package needs: data type, interface package, and
/// the shape of the table. Ids "msix-data-type" and "msix-digest-table"; subject left empty.
[[nodiscard]] std::vector<Finding> check_content_shape(const cms::IndirectData& data,
                                                       const Package& package);

}  // namespace signctl::msix
