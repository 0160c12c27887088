// SPDX-License-Identifier: Apache-2.0
#include "formats/cab/signature.hpp"

#include "core/file.hpp"
#include "crypto/der.hpp"

#include <algorithm>
#include <string>

namespace signctl::cab {
namespace {

constexpr std::uint64_t kMaxSignatureSize = std::uint64_t{16} << 20U;
constexpr std::uint64_t kMaxPadding = 7;
constexpr std::uint64_t kChecksumOffset = 4;
constexpr std::uint64_t kChecksumSize = 4;

Error bad_signature(const std::string& what) {
  return {ErrorKind::input, "the signature of the cabinet " + what};
}

Finding error_finding(std::string id, std::string message) {
  return {std::move(id), Severity::error, "file", std::move(message)};
}

bool is_zero(std::uint8_t byte) {
  return byte == 0;
}

/// What the reserved area points to, padding included.
Result<Bytes> read_record(const ByteSource& source, const Reserve& reserve) {
  const std::uint64_t offset = reserve.signature_offset;
  const std::uint64_t size = reserve.signature_size;
  if (offset > source.size() || size > source.size() - offset) {
    return bad_signature("is at offset " + std::to_string(offset) + " and has " +
                         std::to_string(size) + " bytes, but the file has " +
                         std::to_string(source.size()));
  }
  if (size > kMaxSignatureSize) {
    return bad_signature("has more than 16 MB");
  }
  return read_bytes(source, offset, size);
}

/// The size of the DER at the start of the record.
Result<std::size_t> der_size(ByteView record) {
  const auto first = der::Parser(record).next("ContentInfo");
  if (!first || first->tag != der::kSequence) {
    return bad_signature("does not start with a complete DER SEQUENCE");
  }
  return first->full.size();
}

void check_padding(ByteView padding, std::uint64_t offset, std::vector<Finding>& findings) {
  if (padding.size() > kMaxPadding) {
    findings.push_back(error_finding("cab-padding-too-long",
                                     std::to_string(padding.size()) +
                                         " bytes follow the signature, at offset " +
                                         std::to_string(offset) + "; 7 is the most"));
  }
  if (!std::all_of(padding.begin(), padding.end(), is_zero)) {
    findings.push_back(error_finding(
        "cab-padding-not-zero",
        "the padding of the signature, at offset " + std::to_string(offset) + ", is not zero"));
  }
}

Result<void> check_placement(const ByteSource& source,
                             const formats::CabinetLayout& layout,
                             const Reserve& reserve,
                             std::vector<Finding>& findings) {
  SIGNCTL_TRY(const Bytes record, read_record(source, reserve), "");
  SIGNCTL_TRY(const std::size_t size, der_size(record), "");
  const std::uint64_t begin = reserve.signature_offset;
  const std::uint64_t end = begin + record.size();
  check_padding(ByteView(record).subspan(size), begin + size, findings);
  if (begin != layout.size) {
    findings.push_back(error_finding("cab-signature-offset",
                                     "the signature is at offset " + std::to_string(begin) +
                                         ", but the cabinet ends at " +
                                         std::to_string(layout.size)));
  }
  if (end != layout.source_size) {
    findings.push_back(error_finding("cab-data-after-signature",
                                     "the signature ends at offset " + std::to_string(end) +
                                         ", the file at " + std::to_string(layout.source_size)));
  }
  return ok();
}

void check_reserve(const formats::CabinetLayout& layout,
                   const Reserve& reserve,
                   std::vector<Finding>& findings) {
  if (reserve.malformed) {
    findings.push_back(error_finding(
        "cab-reserve-malformed",
        "the reserved area of the header holds something else than the place of a signature"));
  }
  if (reserve.stray) {
    findings.push_back(error_finding("cab-reserve-data",
                                     "the reserved area of the header has data that no signature "
                                     "covers, at offset " +
                                         std::to_string(layout.reserve() + *reserve.stray)));
  }
}

}  // namespace

Result<std::optional<EmbeddedSignature>> read_signature(const ByteSource& source,
                                                        const Reserve& reserve) {
  if (!reserve.is_signed()) {
    return std::optional<EmbeddedSignature>{};
  }
  EmbeddedSignature signature;
  SIGNCTL_TRY(signature.cms, read_record(source, reserve), "");
  signature.size = signature.cms.size();
  signature.offset = reserve.signature_offset;
  signature.location = "behind the cabinet at offset " + std::to_string(signature.offset);
  SIGNCTL_TRY(const std::size_t size, der_size(signature.cms), "");
  signature.cms.resize(size);
  return std::optional(std::move(signature));
}

Result<std::vector<Finding>> check_surroundings(const ByteSource& source,
                                                const formats::CabinetLayout& layout,
                                                const Reserve& reserve) {
  std::vector<Finding> findings;
  check_reserve(layout, reserve, findings);
  SIGNCTL_TRY(const Bytes checksum, read_bytes(source, kChecksumOffset, kChecksumSize), "");
  if (!std::all_of(checksum.begin(), checksum.end(), is_zero)) {
    findings.push_back(error_finding(
        "cab-header-checksum", "the header's reserved1, which no signature covers, is not zero"));
  }
  if (reserve.is_signed()) {
    SIGNCTL_CHECK(check_placement(source, layout, reserve, findings), "");
  } else if (layout.source_size != layout.size) {
    findings.push_back(error_finding("cab-data-after-cabinet",
                                     std::to_string(layout.source_size - layout.size) +
                                         " bytes follow the cabinet, which ends at " +
                                         std::to_string(layout.size)));
  }
  return findings;
}

}  // namespace signctl::cab
