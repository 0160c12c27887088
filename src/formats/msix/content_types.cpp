// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/content_types.hpp"

#include "core/text.hpp"
#include "formats/common/xml.hpp"

#include <string>
#include <string_view>

namespace signctl::msix {
namespace {

constexpr std::string_view kNamespace =
    "http://schemas.openxmlformats.org/package/2006/content-types";
constexpr std::string_view kPart = "/AppxSignature.p7x";
constexpr std::string_view kType = "application/vnd.ms-appx.signature";
constexpr std::string_view kEndTag = "</Types>";
constexpr std::string_view kOverride =
    "<Override PartName=\"/AppxSignature.p7x\" "
    "ContentType=\"application/vnd.ms-appx.signature\"/>";

Error malformed(const std::string& what) {
  return {ErrorKind::input, "[Content_Types].xml " + what, "build the package anew with makeappx"};
}

}  // namespace

Result<bool> has_signature_override(ByteView xml_bytes) {
  SIGNCTL_TRY(const xml::Document document, xml::Document::parse(xml_bytes), "[Content_Types].xml");
  const xml::Element root = document.root();
  if (!root.is(kNamespace, "Types")) {
    return malformed("is no list of content types");
  }
  bool found = false;
  for (const xml::Element& one : root.children(kNamespace, "Override")) {
    // Part names are compared without regard to case (ECMA-376 part 2, 9.1.1.4).
    if (to_lower(one.attribute("PartName").value_or("")) != to_lower(kPart)) {
      continue;
    }
    if (found || one.attribute("ContentType") != kType) {
      return malformed("gives AppxSignature.p7x another type or two");
    }
    found = true;
  }
  return found;
}

Result<Bytes> with_signature_override(ByteView xml_bytes) {
  const std::string_view text = as_text(xml_bytes);
  const auto at = text.rfind(kEndTag);
  if (at == std::string_view::npos) {
    return malformed("does not end with </Types>, so that nothing can be added to it");
  }
  std::string result(text.substr(0, at));
  result += kOverride;
  result += text.substr(at);
  const ByteView bytes = as_bytes(result);
  SIGNCTL_TRY(const bool added, has_signature_override(bytes), "");
  if (!added) {
    return malformed("has its last </Types> inside something else");
  }
  return Bytes(bytes.begin(), bytes.end());
}

std::optional<Bytes> without_signature_override(ByteView xml_bytes) {
  const std::string_view text = as_text(xml_bytes);
  const std::string wanted = std::string(kOverride) + std::string(kEndTag);
  const auto at = text.rfind(wanted);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string result(text.substr(0, at));
  result += text.substr(at + kOverride.size());
  const ByteView bytes = as_bytes(result);
  const auto left = has_signature_override(bytes);
  return left && !*left ? std::optional(Bytes(bytes.begin(), bytes.end())) : std::nullopt;
}

}  // namespace signctl::msix
