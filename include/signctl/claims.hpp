// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <string_view>

// What a file that no format recognises says that it is.
namespace signctl {

/// The format that a file of that name can only be of, so that anything else in it is damage or a
/// disguise; null for names without a known extension, and for extensions that others use as well.
[[nodiscard]] const Format* claimed_format(std::string_view path_utf8);

/// Whether a file ends as a ZIP archive does: readers that search from behind open it, whatever it
/// begins with.
Result<bool> ends_like_archive(const ByteSource& source);

}  // namespace signctl
