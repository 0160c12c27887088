// SPDX-License-Identifier: Apache-2.0
#include "formats/pe/certificate_table.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "crypto/der.hpp"
#include "formats/pe/scan.hpp"

#include <algorithm>
#include <string>

namespace signctl::pe {
namespace {

constexpr std::uint64_t kEntryHeaderSize = 8;
constexpr std::uint64_t kMaxSignatureSize = std::uint64_t{16} * 1024 * 1024;
// Padding to the next multiple of 8.
constexpr std::uint64_t kMaxPadding = kTableAlignment - 1;

std::string entry_name(std::size_t index, const TableEntry& entry) {
  return "certificate table entry " + std::to_string(index + 1) + " at offset " +
         std::to_string(entry.offset);
}

Result<TableEntry> read_entry(const ByteSource& source,
                              const Layout& layout,
                              std::uint64_t offset) {
  SIGNCTL_TRY(const Bytes header,
              read_bytes(source, offset, kEntryHeaderSize),
              "reading the certificate table");
  const ByteReader reader(header);
  TableEntry entry;
  entry.offset = offset;
  entry.length = reader.u32(0).value_or(0);
  entry.revision = reader.u16(4).value_or(0);
  entry.type = reader.u16(6).value_or(0);
  entry.record_end = std::min(offset + round_up_8(entry.length), layout.table_end());
  return entry;
}

/// Whether nothing but zeros follow from this entry's header to the end of the table.
Result<bool> is_zero_rest(const ByteSource& source, const Layout& layout, const TableEntry& entry) {
  if (entry.length != 0) {
    return false;
  }
  SIGNCTL_TRY(
      const std::uint64_t nonzero, find_nonzero(source, entry.offset, layout.table_end()), "");
  return nonzero == layout.table_end();
}

Result<void> check_length(const Layout& layout, const TableEntry& entry, const std::string& name) {
  if (entry.length <= kEntryHeaderSize) {
    return Error{ErrorKind::input,
                 name + " says it is " + std::to_string(entry.length) +
                     " bytes long, which leaves no room for content"};
  }
  const std::uint64_t room = layout.table_end() - entry.offset;
  if (entry.length > room) {
    return Error{ErrorKind::input,
                 name + " says it is " + std::to_string(entry.length) +
                     " bytes long, but the table ends after " + std::to_string(room)};
  }
  return ok();
}

/// Size of the DER SEQUENCE at the start of an entry's body, from its first octets.
Result<std::uint64_t> signature_size(const ByteSource& source,
                                     const TableEntry& entry,
                                     const std::string& name) {
  const std::uint64_t room = entry.length - kEntryHeaderSize;
  SIGNCTL_TRY(const Bytes start,
              read_bytes(source, entry.body_offset(), std::min<std::uint64_t>(room, 6)),
              "reading " + name);
  if (start.size() < 2 || start[0] != der::kSequence) {
    return Error{ErrorKind::input, name + " does not start with a DER SEQUENCE"};
  }
  const std::size_t length_octets = start[1] < 0x80 ? 0 : start[1] & 0x7FU;
  if (start[1] == 0x80 || length_octets > 4 || start.size() < 2 + length_octets) {
    return Error{ErrorKind::input, name + " has a length that is not DER"};
  }
  std::uint64_t content = length_octets == 0 ? start[1] : 0;
  for (std::size_t i = 0; i < length_octets; ++i) {
    content = content << 8U | start[2 + i];
  }
  const std::uint64_t size = 2 + length_octets + content;
  if (size > room) {
    return Error{ErrorKind::input,
                 name + " holds a DER SEQUENCE of " + std::to_string(size) +
                     " bytes, but has room for " + std::to_string(room)};
  }
  if (size > kMaxSignatureSize) {
    return Error{ErrorKind::input, name + " holds a signature of more than 16 MB"};
  }
  return size;
}

Finding error_finding(std::string id, std::string message) {
  return {std::move(id), Severity::error, "file", std::move(message)};
}

/// Whatever an entry holds behind its DER must be at most 7 zero bytes: MS13-098 (CVE-2013-3900).
Result<std::vector<Finding>> check_padding(const ByteSource& source,
                                           const TableEntry& entry,
                                           const std::string& name) {
  std::vector<Finding> findings;
  SIGNCTL_TRY(const std::uint64_t size, signature_size(source, entry, name), "");
  const std::uint64_t begin = entry.body_offset() + size;
  const std::uint64_t padding = entry.record_end - begin;
  if (padding > kMaxPadding) {
    findings.push_back(error_finding("pe-padding-too-long",
                                     name + " has " + std::to_string(padding) +
                                         " bytes behind its signature, at offset " +
                                         std::to_string(begin) + "; 7 is the most"));
  }
  SIGNCTL_TRY(const std::uint64_t nonzero, find_nonzero(source, begin, entry.record_end), "");
  if (nonzero != entry.record_end) {
    findings.push_back(error_finding(
        "pe-padding-not-zero",
        name + " has data that no signature covers, at offset " + std::to_string(nonzero)));
  }
  return findings;
}

Result<std::vector<Finding>> check_entry(const ByteSource& source,
                                         const TableEntry& entry,
                                         const std::string& name) {
  std::vector<Finding> findings;
  if (entry.is_signature()) {
    SIGNCTL_TRY(findings, check_padding(source, entry, name), "");
  } else {
    findings.push_back(error_finding(
        "pe-entry-type",
        name + " is of type " + std::to_string(entry.type) + ", not a signature (2)"));
  }
  if (entry.revision != kRevision2) {
    findings.push_back(error_finding(
        "pe-entry-revision",
        name + " has revision " + std::to_string(entry.revision) + ", not 512 (2.0)"));
  }
  return findings;
}

}  // namespace

Result<CertificateTable> walk_table(const ByteSource& source, const Layout& layout) {
  CertificateTable table;
  table.end = layout.content_end();
  if (!layout.has_table()) {
    return table;
  }
  while (table.end + kEntryHeaderSize <= layout.table_end()) {
    SIGNCTL_TRY(const TableEntry entry, read_entry(source, layout, table.end), "");
    SIGNCTL_TRY(const bool only_zeros, is_zero_rest(source, layout, entry), "");
    const auto length = check_length(layout, entry, entry_name(table.entries.size(), entry));
    if (!table.entries.empty() && (only_zeros || !length)) {
      return table;  // bytes left over, which check_table() reports
    }
    if (!length) {
      return length.error();
    }
    if (table.entries.size() == kMaxEntries) {
      return Error{ErrorKind::input, "the certificate table has more than 64 entries"};
    }
    table.entries.push_back(entry);
    table.end = entry.record_end;
  }
  if (table.entries.empty()) {
    return Error{ErrorKind::input,
                 "the certificate table (" + std::to_string(layout.table_size) +
                     " bytes) is too small for an entry"};
  }
  return table;
}

Result<std::vector<EmbeddedSignature>> read_signatures(const ByteSource& source,
                                                       const CertificateTable& table) {
  std::vector<EmbeddedSignature> signatures;
  for (std::size_t i = 0; i < table.entries.size(); ++i) {
    const TableEntry& entry = table.entries[i];
    if (!entry.is_signature()) {
      continue;
    }
    EmbeddedSignature signature;
    signature.location = entry_name(i, entry);
    signature.offset = entry.offset;
    signature.size = entry.record_end - entry.offset;
    SIGNCTL_TRY(const std::uint64_t size, signature_size(source, entry, signature.location), "");
    SIGNCTL_TRY(signature.cms,
                read_bytes(source, entry.body_offset(), size),
                "reading " + signature.location);
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

Result<std::vector<Finding>> check_table(const ByteSource& source,
                                         const Layout& layout,
                                         const CertificateTable& table) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < table.entries.size(); ++i) {
    const TableEntry& entry = table.entries[i];
    SIGNCTL_TRY(std::vector<Finding> found, check_entry(source, entry, entry_name(i, entry)), "");
    std::move(found.begin(), found.end(), std::back_inserter(findings));
  }
  if (table.end < layout.table_end()) {
    findings.push_back(error_finding(
        "pe-table-coverage",
        "the certificate table has " + std::to_string(layout.table_end() - table.end) +
            " bytes that belong to no entry, at offset " + std::to_string(table.end)));
  }
  const auto signatures =
      std::count_if(table.entries.begin(), table.entries.end(), [](const TableEntry& entry) {
        return entry.is_signature();
      });
  if (signatures > 1 && !layout.is_efi()) {
    findings.push_back(error_finding("pe-multiple-entries",
                                     "the certificate table has " + std::to_string(signatures) +
                                         " signature entries; only firmware reads more than one"));
  }
  return findings;
}

Bytes encode_table(std::span<const Bytes> signatures) {
  Bytes table;
  for (const Bytes& signature : signatures) {
    const std::uint64_t length = round_up_8(kEntryHeaderSize + signature.size());
    const std::size_t end = table.size() + static_cast<std::size_t>(length);
    table.reserve(end);
    put_le(table, static_cast<std::uint32_t>(length));
    put_le(table, kRevision2);
    put_le(table, kTypePkcsSignedData);
    table.insert(table.end(), signature.begin(), signature.end());
    table.resize(end, 0);
  }
  return table;
}

}  // namespace signctl::pe
