// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/signature_part.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/common/zip_records.hpp"
#include "formats/msix/content_types.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::msix {
namespace {

constexpr std::string_view kMagic = "PKCX";

Finding finding(std::string id, std::string message) {
  return {std::move(id), Severity::error, "file", std::move(message)};
}

/// Whether an extra field is empty or a ZIP64 field without room for more.
bool is_bare(ByteView extra) {
  constexpr std::size_t kMost = 4 + 3 * 8;
  const ByteReader reader(extra);
  return extra.empty() || (extra.size() <= kMost && reader.u16(0) == zip::kZip64Extra &&
                           reader.u16(2) == extra.size() - 4);
}

/// The records of the signature's entry are covered by nothing. What signtool leaves empty has to
/// be empty; versions, times and how the sizes are told differ between makers and tell readers
/// nothing.
Result<void> check_entry(const ByteSource& source,
                         const zip::Entry& entry,
                         std::vector<Finding>& findings) {
  SIGNCTL_TRY(const Bytes header, read_bytes(source, entry.central_offset, entry.central_size), "");
  const ByteReader reader(header);
  const std::uint64_t bare = zip::kCentralHeaderSize + entry.name.size();
  const std::uint64_t local_bare = zip::kLocalHeaderSize + entry.name.size();
  SIGNCTL_TRY(
      const Bytes local_extra,
      read_bytes(source, entry.local_offset + local_bare, entry.local_header_size() - local_bare),
      "");
  const auto comment = reader.u16(32);
  if (comment != 0U) {
    findings.push_back(finding("msix-signature-entry",
                               "AppxSignature.p7x has a comment of " + std::to_string(*comment) +
                                   " bytes in the directory, which nothing covers"));
  }
  const auto extra = reader.slice(bare, *reader.u16(30));
  if (!extra || !is_bare(*extra) || !is_bare(local_extra)) {
    findings.push_back(finding("msix-signature-entry",
                               "AppxSignature.p7x has an extra field that is more than sizes, "
                               "which nothing covers"));
  }
  if (reader.u16(36) != 0U || reader.u32(38) != 0U) {
    findings.push_back(
        finding("msix-signature-entry", "AppxSignature.p7x has file attributes in the directory"));
  }
  constexpr std::uint16_t kHarmless = zip::kFlagDescriptor | zip::kFlagUtf8 | 0x0006;
  if ((entry.flags & ~kHarmless) != 0) {
    findings.push_back(finding("msix-signature-entry",
                               "AppxSignature.p7x has general purpose flags " +
                                   std::to_string(entry.flags) + ", which no maker sets"));
  }
  return ok();
}

}  // namespace

Result<SignaturePart> read_signature_part(const ByteSource& source, const zip::Entry& entry) {
  SIGNCTL_TRY(const Bytes bytes, zip::unpack_small(source, entry, kMostPart), "");
  if (!as_text(bytes).starts_with(kMagic)) {
    return Error{ErrorKind::input, "AppxSignature.p7x does not begin with PKCX"};
  }
  const ByteView content = ByteView(bytes).subspan(kMagic.size());
  SIGNCTL_TRY(const der::Tlv outer, der::Parser(content).next("ContentInfo"), "AppxSignature.p7x");
  return SignaturePart{Bytes(outer.full.begin(), outer.full.end()),
                       content.size() - outer.full.size()};
}

Bytes encode_signature_part(ByteView cms) {
  Bytes bytes(kMagic.size() + cms.size());
  std::copy(cms.begin(), cms.end(), std::copy(kMagic.begin(), kMagic.end(), bytes.begin()));
  return bytes;
}

Result<std::vector<Finding>> check_signature_part(const ByteSource& source,
                                                  const Package& package) {
  std::vector<Finding> findings;
  if (!package.signature_is_last()) {
    findings.push_back(finding("msix-signature-not-last",
                               "files follow AppxSignature.p7x in the package, which the signature "
                               "does not cover"));
  }
  const zip::Entry& entry = package.entry(*package.signature);
  SIGNCTL_CHECK(check_entry(source, entry, findings), "");
  SIGNCTL_TRY(const SignaturePart part, read_signature_part(source, entry), "");
  if (part.trailing != 0) {
    findings.push_back(
        finding("msix-signature-trailing",
                std::to_string(part.trailing) +
                    " bytes follow the signature in AppxSignature.p7x, which nothing covers"));
  }
  SIGNCTL_TRY(const Bytes types,
              zip::unpack_small(source, package.entry(package.content_types), kMostPart),
              "");
  const auto declared = has_signature_override(types);
  if (!declared || !*declared) {
    findings.push_back(finding("msix-content-types",
                               declared ? "[Content_Types].xml does not declare AppxSignature.p7x, "
                                          "so Windows takes the package for unsigned"
                                        : declared.error().message));
  }
  return findings;
}

}  // namespace signctl::msix
