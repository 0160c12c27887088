// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <vector>

/// Page hashes (signtool /ph): a list of (u32 file offset, hash) rows. The first row is over the
/// headers without CheckSum and security entry, filled with zeros to a page less those 12 bytes;
/// then one row per page of each section in table order, the last page of a section filled with
/// zeros; the last row holds the end of the last section and a hash of zeros.
namespace signctl::pe {

/// Rows as stored, and their hash: SHA-1 for version 1, SHA-256 for version 2.
struct PageHashRows {
  DigestAlg alg{DigestAlg::sha256};
  Bytes rows;
};

/// Whether page hashes are possible.
///
/// @errors `unsupported` with the reason when the layout is one that readers disagree about:
///         another SectionAlignment, sections that are not contiguous, headers over a page, or more
///         rows than 16 MB.
Result<void> check_page_layout(const Layout& layout);

/// SHA-256 rows over pages of 4096 bytes, for signing.
///
/// @errors As check_page_layout().
Result<PageHashRows> make_page_hashes(const ByteSource& source, const Layout& layout);

/// Recomputes stored rows. Findings: "pe-page-hashes" when the file does not agree with them,
/// "pe-page-hashes-malformed" when no such rows can exist for this file.
Result<std::vector<Finding>> check_page_hashes(const ByteSource& source,
                                               const Layout& layout,
                                               const PageHashRows& stored);

}  // namespace signctl::pe
