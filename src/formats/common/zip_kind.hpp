// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>

#include <string_view>
#include <vector>

namespace signctl::zip {

/// Whether a file looks like a ZIP archive from its ends: a local header in front, or none in an
/// empty one, and an end record near the end.
[[nodiscard]] bool looks_like_zip(ByteView head, ByteView tail);

/// What the names in the central directory make of a ZIP archive: "msix" (packages and bundles),
/// "nuget", "vsix"; several when it has the marks of several; "zip" when it has none, and when
/// its directory cannot be read.
[[nodiscard]] std::vector<std::string_view> kinds_of(const ByteSource& source);

}  // namespace signctl::zip
