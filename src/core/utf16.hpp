// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <optional>
#include <string>

namespace signctl {

/// The ASCII letters of a text that begins with a byte order mark of UTF-16, with a '?' for each
/// other code unit; empty optional when it does not begin so.
[[nodiscard]] std::optional<std::string> ascii_of_utf16(ByteView bytes);

}  // namespace signctl
