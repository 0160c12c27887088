// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string_view>
#include <vector>

namespace signctl::zip {

/// Whether a file begins like a ZIP archive: with a local header, or in an empty one with the end
/// record. Whether it also ends like one is for its reader to say.
[[nodiscard]] bool looks_like_zip(ByteView head);

/// Whether an end record begins in the last bytes of a file, or in its first as in an empty
/// archive. Behind a long comment it lies further ahead.
[[nodiscard]] bool has_end_record(ByteView head, ByteView tail);

/// Whether an end record near the end has a central directory before it, whatever the file begins
/// with and whatever follows: some readers find that archive.
[[nodiscard]] Result<bool> has_directory_at_end(const ByteSource& source);

/// What the names in the central directory make of a ZIP archive: "msix" (packages and bundles),
/// "nuget", "vsix"; several when it has the marks of several; "zip" when it has none, and when
/// its directory cannot be read.
[[nodiscard]] std::vector<std::string_view> kinds_of(const ByteSource& source);

}  // namespace signctl::zip
