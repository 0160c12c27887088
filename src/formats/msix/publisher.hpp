// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::msix {

/// A DER Name as Identity/@Publisher has it: as CertNameToStr of Windows writes it with
/// CERT_X500_NAME_STR and CERT_NAME_STR_REVERSE_FLAG, most specific attribute first.
/// "CN=Contoso Ltd, O=\"Contoso, Ltd\", S=Washington, C=US".
[[nodiscard]] std::string publisher_of(ByteView name_der);

/// Whether a manifest's publisher is that name. Attribute by attribute: spacing, quotes, and the
/// two spellings of a type (S and ST) do not matter, order and letters do.
[[nodiscard]] bool is_publisher(const std::string& publisher, ByteView name_der);

/// "msix-publisher" when the certificate's subject is not the manifest's publisher, with what to
/// write into the manifest.
///
/// @errors `input` when `leaf_der` is no certificate.
Result<std::vector<Finding>> check_publisher(const std::string& publisher,
                                             std::string_view manifest_name,
                                             ByteView leaf_der);

}  // namespace signctl::msix
