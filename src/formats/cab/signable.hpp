// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>

namespace signctl::cab {

/// A cabinet, opened.
///
/// @errors `input` when it is malformed; `unsupported` for a part of a set of cabinets.
Result<std::unique_ptr<Signable>> open_cabinet(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::cab
