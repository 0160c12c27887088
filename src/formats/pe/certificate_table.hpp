// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// The attribute certificate table ("PE Format", "The Attribute Certificate Table"): entries of
/// dwLength (with its own 8-byte header), wRevision, wCertificateType and content, each starting at
/// a multiple of 8. Nothing in it is covered by the digest, so every byte must be accounted for.
namespace signctl::pe {

/// WIN_CERT_TYPE_PKCS_SIGNED_DATA
inline constexpr std::uint16_t kTypePkcsSignedData = 2;
/// WIN_CERT_REVISION_2_0
inline constexpr std::uint16_t kRevision2 = 0x0200;

/// Tables with more are not read.
inline constexpr std::size_t kMaxEntries = 64;

/// One entry's header.
struct TableEntry {
  std::uint64_t offset{};  ///< In the file.
  std::uint64_t length{};  ///< dwLength
  std::uint16_t revision{};
  std::uint16_t type{};
  std::uint64_t record_end{};  ///< Where the next entry starts or the table ends.

  [[nodiscard]] std::uint64_t body_offset() const { return offset + 8; }
  [[nodiscard]] bool is_signature() const { return type == kTypePkcsSignedData; }
};

/// The entries of a table, and where the last one ends.
struct CertificateTable {
  std::vector<TableEntry> entries;
  std::uint64_t end{};  ///< Less than Layout::table_end() when bytes are left over.
};

/// Walks the entry headers; an image without a table has no entries.
///
/// @errors `input` for an entry that is shorter than its header or longer than the table, and for
///         more than 64 entries.
Result<CertificateTable> walk_table(const ByteSource& source, const Layout& layout);

/// The signatures among the entries, padding removed.
///
/// @errors `input` when an entry does not hold a DER SEQUENCE that fits it, or one over 16 MB.
Result<std::vector<EmbeddedSignature>> read_signatures(const ByteSource& source,
                                                       const CertificateTable& table);

/// What is wrong or odd with a table that could be walked.
Result<std::vector<Finding>> check_table(const ByteSource& source,
                                         const Layout& layout,
                                         const CertificateTable& table);

/// A table that holds `signatures`, one entry each, padding inside dwLength.
[[nodiscard]] Bytes encode_table(std::span<const Bytes> signatures);

}  // namespace signctl::pe
