// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/signature_part.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "formats/common/zip_inflate.hpp"
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
  SIGNCTL_TRY(
      const SignaturePart part, read_signature_part(source, package.entry(*package.signature)), "");
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
