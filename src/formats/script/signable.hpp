// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/script/dialect.hpp"

#include <signctl/format.hpp>

#include <memory>

namespace signctl::script {

/// Reads a script of a dialect.
///
/// @errors those of read_script() in block.hpp.
Result<std::unique_ptr<Signable>> open_script(std::shared_ptr<const ByteSource> source,
                                              const Dialect& dialect);

}  // namespace signctl::script
