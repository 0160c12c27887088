// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <string>

namespace signctl::cli {

/// Writes bytes to `path`, or to standard output when it is empty.
///
/// @errors `usage` when standard output is a terminal; `output` when the file cannot be written.
Result<void> write_bytes(Context& context, const std::string& path, ByteView bytes);

}  // namespace signctl::cli
