// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>

/// Names of the Open Packaging Conventions (ECMA-376, part 2; "OPC" in comments here).
namespace signctl::vsix {

inline constexpr std::string_view kContentTypesName = "[Content_Types].xml";
inline constexpr std::string_view kRootRelationshipsName = "_rels/.rels";
inline constexpr std::string_view kOwnFolder = "package/services/digital-signature/";
inline constexpr std::string_view kOriginName = "package/services/digital-signature/origin.psdor";
inline constexpr std::string_view kSignatureFolder =
    "package/services/digital-signature/xml-signature/";

inline constexpr std::string_view kTypesNamespace =
    "http://schemas.openxmlformats.org/package/2006/content-types";
inline constexpr std::string_view kRelationshipsNamespace =
    "http://schemas.openxmlformats.org/package/2006/relationships";
inline constexpr std::string_view kSignatureNamespace =
    "http://schemas.openxmlformats.org/package/2006/digital-signature";

inline constexpr std::string_view kOriginRelationship =
    "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin";
inline constexpr std::string_view kSignatureRelationship =
    "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/signature";
inline constexpr std::string_view kCertificateRelationship =
    "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/certificate";
inline constexpr std::string_view kRelationshipTransform =
    "http://schemas.openxmlformats.org/package/2006/RelationshipTransform";

inline constexpr std::string_view kRelationshipsType =
    "application/vnd.openxmlformats-package.relationships+xml";
inline constexpr std::string_view kOriginType =
    "application/vnd.openxmlformats-package.digital-signature-origin";
inline constexpr std::string_view kSignatureType =
    "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml";
inline constexpr std::string_view kCertificateType =
    "application/vnd.openxmlformats-package.digital-signature-certificate";

/// What two names of one part have in common: "/" and the name, percent-decoded, ASCII letters in
/// lower case (OPC, 9.1.1.1 and 9.1.1.4).
///
/// @param name  Of a ZIP entry, or of a part without the slash in front.
/// @errors `input` when a slash, a backslash or NUL is percent-encoded in it.
Result<std::string> part_key(std::string_view name);

/// A ZIP entry's name as part name in a URI: "/" in front, percent-encoded where a URI needs it.
[[nodiscard]] std::string part_uri(std::string_view name);

/// Name of the ZIP entry for the relationships of the part in entry `name`: "a/_rels/b.rels".
[[nodiscard]] std::string relationships_name(std::string_view name);

/// The key of what a relationship's target means, seen from the part `source_key` ("/" for the
/// package). Empty when it leads out of the package.
[[nodiscard]] std::string target_key(std::string_view source_key, std::string_view target);

}  // namespace signctl::vsix
