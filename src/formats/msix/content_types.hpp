// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <optional>

// [Content_Types].xml (ECMA-376 part 2, 10.1.2): Windows takes a package for unsigned that does not
// say there what AppxSignature.p7x is.
namespace signctl::msix {

/// Whether the part says so.
///
/// @errors `input` when it is no list of content types, or gives the signature another type.
Result<bool> has_signature_override(ByteView xml);

/// The part with the line added before its end tag, all else byte for byte.
Result<Bytes> with_signature_override(ByteView xml);

/// The part without the line that with_signature_override() adds; empty if it is not there in that
/// very form.
[[nodiscard]] std::optional<Bytes> without_signature_override(ByteView xml);

}  // namespace signctl::msix
